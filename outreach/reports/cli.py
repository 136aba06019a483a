"""Commands about the roll-ups of reports: ``flask reports ...``."""

from collections.abc import Sequence

import click
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.commands import Commands
from outreach.db import db
from outreach.deps import deps
from outreach.orm import one_picture, reading
from outreach.reports import comparing, jobs, rollups

SHOWN = 50

group = Commands("reports", help="Look after the roll-ups that reports are read from.")


@group.command("rebuild")
@click.option("--clinic", help="The code of one clinic; else all.")
def rebuild(clinic: str | None) -> None:
    """Count every roll-up anew from rows, and prove that the two agree.

    Reports stay right meanwhile: what is not rolled up yet is counted from rows.
    """
    now, done = deps().clock(), 0
    chosen = _clinics(clinic)
    for each in chosen:
        with db.sessionmaker.begin() as session:
            rollups.forget(session, each.id, now=now)
        while some := jobs.roll_clinic(db.sessionmaker, each.id, now=now):
            done += some
    click.echo(f"Counted {done:,} days and enrolments.")
    _fail_if_any_waits(chosen)
    _compare(chosen)


@group.command("compare")
@click.option("--clinic", help="The code of one clinic; else all.")
def compare(clinic: str | None) -> None:
    """Hold the roll-ups against the rows; name each difference, and exit 1 where there are any."""
    _compare(_clinics(clinic))


def _fail_if_any_waits(clinics: Sequence[Clinic]) -> None:
    with reading(), db.sessionmaker() as session:
        waiting = set(rollups.waiting(session, clinics, now=deps().clock()))
    codes = [each.code for each in clinics if each.id in waiting]
    if codes:
        click.echo(f"Something changed meanwhile: {', '.join(codes)}. Rebuild again.")
        raise SystemExit(1)


def _compare(clinics: Sequence[Clinic]) -> None:
    found = 0
    for clinic in clinics:
        with reading(), db.sessionmaker() as session:
            one_picture(session)
            for each in comparing.differences(session, clinic, now=deps().clock()):
                found += 1
                if found <= SHOWN:
                    place = ", ".join(map(str, each.place))
                    click.echo(
                        f"{clinic.code}, {each.table}: {place}: "
                        f"rolled up {each.rolled}, counted {each.counted}"
                    )
    if found:
        click.echo(f"{found:,} differences. Mend them: flask reports rebuild")
        raise SystemExit(1)
    click.echo("Roll-ups and rows agree.")


def _clinics(code: str | None) -> Sequence[Clinic]:
    with reading(), db.sessionmaker() as session:
        chosen = select(Clinic).order_by(Clinic.id)
        if code is not None:
            chosen = chosen.where(Clinic.code == code)
        found = session.scalars(chosen).all()
    if not found:
        raise click.ClickException("There is no such clinic.")
    return found
