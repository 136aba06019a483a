"""Commands about the plan: ``flask plan ...``."""

import click
from flask.cli import AppGroup

from outreach.db import db
from outreach.deps import deps
from outreach.planning import jobs

group = AppGroup("plan", help="Look after the plan of calls.")


@group.command("missing")
def missing() -> None:
    """Plan a call for every enrolment that should have one and has none."""
    planned = jobs.plan_missing_calls(db.sessionmaker, deps().clock)
    click.echo(f"Planned {planned} calls.")
