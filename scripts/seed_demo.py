"""Fill an empty database with two made-up clinics and half a year of their work.

``python scripts/seed_demo.py`` fills the database of DATABASE_URL, once. Everything is drawn
from one seed and dated back from now: the same seed and instant give the same rows. People,
numbers and notes are invented; figures follow the published trial (docs: scripts/demo).
"""

import argparse
import secrets
import sys
from datetime import datetime
from pathlib import Path
from random import Random

from argon2 import PasswordHasher
from sqlalchemy import func, select
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from config import Config
from outreach import orm, tables  # noqa: F401 - every table, loaded
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.calls import last_talk
from outreach.calls.models import Attempt, CallNote, Promise
from outreach.calls.rules import Outcome
from outreach.clock import utc_now
from outreach.concerns.models import Concern, ConcernStep
from outreach.errors import RuleBroken
from outreach.goals.models import Goal, GoalNews
from outreach.measures import newest
from outreach.measures.models import Reading
from outreach.messaging.models import DeliveryEvent, Message
from outreach.orm import Model, Sessions
from outreach.patients.models import ConsentEvent, Patient
from outreach.planning import candidates, silence
from outreach.planning.models import PlannedCall
from outreach.searching import index
from outreach.upkeep import fitting
from scripts.demo import (
    aims,
    away,
    goals,
    labs,
    net,
    readings,
    record_health,
    silent,
    visits,
    worries,
    writing,
)
from scripts.demo.cast import make_cast
from scripts.demo.labs import Labs
from scripts.demo.people import ADA, ANA, MARK, NADIA, Fate
from scripts.demo.readings import Measured
from scripts.demo.record import House
from scripts.demo.record_calls import Chronicle
from scripts.demo.rows import Rows
from scripts.demo.story import Dial
from scripts.demo.today import Lived, live_all
from scripts.demo.worries import Worry

# One account for each role; all of them share the password that is given.
DEMO_ACCOUNTS: tuple[tuple[Role, str], ...] = tuple(
    (person.role, person.email) for person in (ANA, NADIA, MARK, ADA)
)


_PAGE = 500
# Histories are written patient by patient; their rows came about side by side.
_IN_ORDER_OF: dict[type[Model], str] = {
    Attempt: "at",
    CallNote: "at",
    Promise: "made_at",
    Message: "created_at",
    DeliveryEvent: "received_at",
    Reading: "recorded_at",
    Concern: "raised_at",
    ConcernStep: "at",
    ConsentEvent: "at",
    Goal: "set_at",
    GoalNews: "at",
}


class NotEmpty(RuleBroken):
    """The demo never mixes with people who are there already."""


def seed(session: Session, *, now: datetime, passwords_hash: str, seed: int = 1) -> None:
    """Add the demo to a database without clinics. Does not commit.

    Args:
        session: on a migrated database.
        now: aware instant that everything is dated back from.
        passwords_hash: what every account's password is checked against.
        seed: another number gives other people and other luck.

    Raises NotEmpty where there is one.

    """
    if _has_clinic(session):
        raise NotEmpty("The demo needs an empty database; this one has a clinic.")
    rng = Random(seed)
    rows = Rows(session)
    house = House(rows, rng, now=now, password_hash=passwords_hash)
    lived = live_all(make_cast(rng, now=now), seed=seed, now=now)
    worries.mark_safety(rng, lived, now=now)
    figures = labs.draw(
        rng,
        [person.number for person, _story in lived],
        [person.number for person, _story in lived if person.fate is Fate.COMPLETED],
    )
    arranged = {person.number: each for person, each in worries.of_today(lived, now=now)}
    for each in lived:
        number = each[0].number
        _write(house, rng, each, figures[number], arranged.get(number), now=now)
    away.write(house, now=now)
    net.write(house, now=now)
    aims.write(house, now=now)
    visits.write(house, Random(f"visits of {seed}"), now=now)
    rows.number_by(_IN_ORDER_OF)
    rows.write()
    index.rebuild(session)  # rows that are written in bulk are not followed by themselves
    newest.rebuild(session)
    last_talk.rebuild(session)
    while index.work_off_backlog(session):
        continue
    _follow_silences(session, now=now)


def _follow_silences(session: Session, *, now: datetime) -> None:
    """Ask for what the scheduler would have asked for by now, where calls didn't get through."""
    after_id: int | None = 0
    while after_id is not None:
        page = candidates.page_of(session, now=now, after_id=after_id, limit=_PAGE)
        for enrolment_id in page.ids:
            silence.settle(session, enrolment_id, now=now)
        after_id = page.next_after_id
    silent.write(session, now=now)
    writing.write(session, now=now)


def seed_if_empty(
    sessions: Sessions, *, now: datetime, hasher: PasswordHasher, password: str
) -> bool:
    """Add the demo, and commit, unless there is a clinic; say whether it was added."""
    with sessions.begin() as session:
        if _has_clinic(session):
            return False
        seed(session, now=now, passwords_hash=hasher.hash(password))
    return True


def _write(
    house: House,
    rng: Random,
    lived: Lived,
    figures: Labs,
    arranged: Measured | None,
    *,
    now: datetime,
) -> None:
    person, story = lived
    own_words = [
        each
        for each in readings.of_calls(rng, person, story, figures, now=now)
        if arranged is None or each.dial != arranged.dial
    ]
    measured = [*readings.of_labs(rng, person, figures, now=now), *own_words]
    if arranged:
        measured.append(arranged)
    chronicle = Chronicle(
        house,
        rng,
        person,
        story,
        house.admit(person, story),
        _worries(rng, lived, measured, arranged, now=now),
    )
    chronicle.write(now=now)
    record_health.write(house, chronicle, measured)
    goals.write(house, chronicle)


def _worries(
    rng: Random,
    lived: Lived,
    measured: list[Measured],
    arranged: Measured | None,
    *,
    now: datetime,
) -> dict[Dial, Worry]:
    """Return the concerns of one patient by the dial on which they came up."""
    person, story = lived
    found = [
        worries.of_reading(rng, person, each, is_settled=each is not arranged, now=now)
        for each in measured
    ]
    found += [
        worries.of_safety(rng, person, dial, now=now)
        for call in story.calls
        for dial in call.dials
        if dial.outcome is Outcome.SAFETY
    ]
    return {worry.dial: worry for worry in found if worry}


def _has_clinic(session: Session) -> bool:
    return bool(session.scalar(select(func.count()).select_from(Clinic)))


def main() -> None:
    """Fill the configured database and print the accounts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--password", help="for all accounts; made up where none is given")
    password = parser.parse_args().password or secrets.token_urlsafe(12)
    config = Config.from_environment()
    fitting.tell(config)
    sessions = orm.make_sessions(orm.make_engine(config.database_url))
    if not seed_if_empty(sessions, now=utc_now(), hasher=PasswordHasher(), password=password):
        sys.exit("Nothing was done: this database has a clinic already.")
    with orm.reading(), sessions() as session:
        for model in (Patient, PlannedCall, Attempt, CallNote, Reading, Message):
            count = session.scalar(select(func.count()).select_from(model))
            print(f"{count:>7}  {model.__tablename__}")
    for role, email in DEMO_ACCOUNTS:
        print(f"{role.value:>14}  {email}")
    print(f"{'password':>14}  {password}")


if __name__ == "__main__":
    main()
