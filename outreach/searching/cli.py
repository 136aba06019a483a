"""Commands about the full-text index: ``flask search ...``."""

import click

from outreach.commands import Commands
from outreach.db import db
from outreach.searching import index

group = Commands("search", help="The full-text index.")


@group.command("check")
def check() -> None:
    """Say whether every patient and note is in the index, or waits for it."""
    lacking = index.missing(db.session)
    click.echo(f"{lacking} missing." if lacking else "Nothing is missing.")
    if lacking:
        raise SystemExit(1)


@group.command("rebuild")
def rebuild() -> None:
    """Empty the index and fill it anew; searches find less until it is done."""
    total = index.rebuild(db.session)
    db.session.commit()
    done = 0
    while some := index.work_off_backlog(db.session):
        db.session.commit()
        done += some
    db.session.commit()
    click.echo(f"{done} of {total} rows indexed.")
