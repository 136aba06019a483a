"""Commands about the plan: ``flask plan ...``."""

import click

from outreach.commands import Commands
from outreach.db import db
from outreach.deps import deps
from outreach.orm import reading
from outreach.planning import checking, jobs

SHOWN = 20

group = Commands("plan", help="Look after the plan of calls.")


@group.command("missing")
def missing() -> None:
    """Plan a call for every enrolment that should have one and has none."""
    planned = jobs.plan_missing_calls(db.sessionmaker, deps().clock)
    click.echo(f"Planned {planned} calls.")


@group.command("check")
def check() -> None:
    """Hold the promises of the plan against its rows; say which are broken, and for whom."""
    with reading(), db.sessionmaker() as session:
        found = checking.breaches(session, now=deps().clock())
    for breach in found:
        ids = ", ".join(map(str, breach.enrolment_ids[:SHOWN]))
        count = len(breach.enrolment_ids)
        click.echo(f"Broken: {breach.promise}. {count} enrolments: {ids}")
    if found:
        raise SystemExit(1)
    click.echo("Every promise of the plan holds.")
