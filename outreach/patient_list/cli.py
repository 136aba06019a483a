"""Commands about what the list keeps beside histories: ``flask patient-list ...``."""

import click

from outreach.calls import last_talk
from outreach.commands import Commands
from outreach.db import db
from outreach.measures import newest
from outreach.patients import ranking

group = Commands("patient-list", help="Last readings and last talks, as the list filters by.")


@group.command("check")
def check() -> None:
    """Compare what is kept with all readings and attempts."""
    readings = db.session.scalars(newest.differing()).all()
    attempts = db.session.scalars(last_talk.differing()).all()
    click.echo(f"{len(readings)} readings and {len(attempts)} attempts differ.")
    if readings or attempts:
        raise SystemExit(1)


@group.command("rebuild")
def rebuild() -> None:
    """Make it anew from all readings and attempts, in one transaction."""
    readings, talks = newest.rebuild(db.session), last_talk.rebuild(db.session)
    placed = ranking.place_anew(db.session)
    db.session.commit()
    click.echo(f"{readings} last readings, {talks} last talks, {placed} patients in their order.")
