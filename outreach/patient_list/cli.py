"""Commands about what the list keeps beside histories: ``flask patient-list ...``."""

import click

from outreach.calls import last_talk
from outreach.commands import Commands
from outreach.db import db
from outreach.measures import newest
from outreach.searching import directory

group = Commands("patient-list", help="What the list filters, sorts and searches by.")


@group.command("check")
def check() -> None:
    """Compare what is kept with all readings, attempts and patients' names."""
    readings = db.session.scalars(newest.differing()).all()
    attempts = db.session.scalars(last_talk.differing()).all()
    names = directory.differing(db.session)
    click.echo(f"{len(readings)} readings, {len(attempts)} attempts and {len(names)} names differ.")
    if readings or attempts or names:
        raise SystemExit(1)


@group.command("rebuild")
def rebuild() -> None:
    """Make it anew from all readings, attempts and names, in one transaction."""
    readings, talks = newest.rebuild(db.session), last_talk.rebuild(db.session)
    named = directory.fold_all(db.session)
    db.session.commit()
    click.echo(f"{readings} last readings, {talks} last talks, {named} patients by their names.")
