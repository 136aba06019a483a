"""The demo as it stands in a database."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import fmean, stdev

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.calls import last_talk
from outreach.calls.models import Attempt, CallNote
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, trigger_of
from outreach.goals.models import Goal, GoalNews
from outreach.measures import newest
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Model, Sessions
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient, PhoneNumber
from outreach.planning import checking, courses, jobs
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes import protocol
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.searching.models import DirectoryChange
from outreach.visits.models import Visit
from outreach.welfare import checks
from outreach.welfare.rules import StepKind
from scripts.seed_demo import DEMO_ACCOUNTS, NotEmpty, seed, seed_if_empty
from tests.builders import PASSWORD, make_clinic, make_patient
from tests.conftest import FAST_HASHER, HASH, KEYS_WRITTEN
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.postgres import Server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of the whole module: filling one takes a second or two."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("demo") / "demo.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgres")
    server.create("demo", "template_outreach")
    yield server.url("demo")
    server.drop("demo")


@pytest.fixture(scope="module")
def filled(url: str) -> Iterator[Sessions]:
    engine = orm.make_engine(url)
    sessions = orm.make_sessions(engine)
    with sessions.begin() as session:
        seed(session, now=NOW, passwords_hash=HASH)
    yield sessions
    engine.dispose()


@pytest.fixture
def demo(filled: Sessions) -> Iterator[Session]:
    with orm.reading(), filled() as session:
        yield session


def rows_of(session: Session) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, in one order; without numbers that are drawn by chance."""
    drawn = DirectoryChange.__table__.c.token
    found = {}
    for table in Model.metadata.sorted_tables:
        kept = [column for column in table.c if column is not drawn]
        found[table.name] = sorted(map(tuple, session.execute(select(*kept))), key=repr)
    return found


def test_active_patients_with_a_caller_have_exactly_one_open_call(demo: Session) -> None:
    assert not courses.unplanned_ids(demo, after_id=0, limit=10)
    assigned = demo.scalars(
        select(Enrolment.id)
        .join(PanelMembership, PanelMembership.enrolment_id == Enrolment.id)
        .where(Enrolment.status == EnrolmentStatus.ACTIVE, PanelMembership.until_at.is_(None))
    ).all()
    still_open = demo.scalars(
        select(PlannedCall.enrolment_id).where(PlannedCall.status == CallStatus.PLANNED)
    ).all()

    assert sorted(still_open) == sorted(assigned)
    assert len(assigned) == 88


def test_the_planner_finds_nothing_to_put_right(filled: Sessions) -> None:
    with orm.reading(), filled() as session:
        overdue = session.scalars(
            select(PlannedCall.id).where(
                PlannedCall.status == CallStatus.PLANNED, PlannedCall.dial_until_at <= NOW
            )
        ).all()

    planned = jobs.plan_missing_calls(filled, lambda: NOW)

    assert overdue == []
    assert planned == 0


def test_what_lists_filter_by_is_kept_as_histories_say(demo: Session) -> None:
    assert demo.scalars(newest.differing()).all() == []
    assert demo.scalars(last_talk.differing()).all() == []
    assert demo.scalar(select(func.count()).select_from(Visit))


@pytest.mark.parametrize("days", [0, 29])  # a Tuesday before Christmas among them
def test_every_promise_of_the_plan_holds_on_the_first_day(sessions: Sessions, days: int) -> None:
    now = NOW + timedelta(days=days)
    with sessions.begin() as session:
        seed(session, now=now, passwords_hash=HASH)

    with sessions() as session:
        assert checking.breaches(session, now=now) == []


def test_whoever_was_spoken_with_has_a_goal_in_their_own_words(demo: Session) -> None:
    spoken = set(demo.scalars(select(CallNote.patient_id)))
    with_goal = set(demo.scalars(select(Goal.patient_id)))

    assert with_goal <= spoken
    assert len(with_goal) > 0.9 * len(spoken)
    assert demo.scalar(select(func.count()).select_from(Goal).where(Goal.ended_at.is_not(None)))
    assert demo.scalar(select(func.count()).select_from(GoalNews))


def test_the_rows_are_dated_before_now(demo: Session) -> None:
    latest = {
        column: demo.scalar(select(func.max(column)))
        for column in (
            Reading.taken_at,
            Reading.recorded_at,
            Concern.raised_at,
            Concern.acknowledged_at,
            Concern.closed_at,
            Message.calling_at,
            Enrolment.enrolled_at,
            Enrolment.status_at,
            PlannedCall.closed_at,
            Patient.created_at,
        )
    }

    assert all(at is not None and at <= NOW for at in latest.values())


def test_ids_grow_with_time_and_point_to_the_same_patient(demo: Session) -> None:
    unasked = Message.inbound_id.is_(None)  # answers come through the product's own door, last
    sent = demo.scalars(select(Message.created_at).where(unasked).order_by(Message.id)).all()
    tried = demo.scalars(select(Attempt.at).order_by(Attempt.id)).all()
    strangers = demo.scalar(
        select(func.count())
        .select_from(CallNote)
        .join(Attempt, Attempt.id == CallNote.attempt_id)
        .where(CallNote.patient_id != Attempt.patient_id)
    )
    misdated = demo.scalar(
        select(func.count())
        .select_from(Reading)
        .join(Attempt, Attempt.id == Reading.attempt_id)
        .where(or_(Reading.patient_id != Attempt.patient_id, Reading.recorded_at < Attempt.at))
    )

    assert list(sent) == sorted(sent)
    assert list(tried) == sorted(tried)
    assert strangers == misdated == 0


def test_hba1c_follows_the_trial_as_stored(demo: Session) -> None:
    rows = demo.execute(
        select(Reading.patient_id, Reading.value)
        .where(Reading.kind == MeasureKind.HBA1C)
        .order_by(Reading.patient_id, Reading.taken_at)
    ).all()
    values: dict[int, list[float]] = {}
    for patient_id, value in rows:
        values.setdefault(patient_id, []).append(float(value))
    starts = [found[0] for found in values.values()]

    assert len(starts) == 160
    assert fmean(starts) == pytest.approx(10.0, abs=0.05)
    assert stdev(starts) == pytest.approx(1.9, abs=0.05)


def test_every_worrying_reading_of_a_call_has_its_concern(demo: Session) -> None:
    readings = demo.scalars(select(Reading)).all()
    worrying = {
        reading.id
        for reading in readings
        if trigger_of(
            reading.kind, reading.value, taken_at=reading.taken_at, now=reading.recorded_at
        )
    }
    raised = set(demo.scalars(select(Concern.reading_id).where(Concern.reading_id.is_not(None))))
    not_closed = demo.scalars(
        select(Concern).where(Concern.status != ConcernStatus.CLOSED).order_by(Concern.id)
    ).all()

    assert worrying == raised
    assert len(not_closed) == 2
    values = {demo.get_one(Reading, concern.reading_id).value for concern in not_closed}
    assert Decimal(52) in values


def test_texts_went_to_numbers_kept_for_fiction_and_mostly_arrived(demo: Session) -> None:
    numbers = demo.scalars(select(PhoneNumber.e164)).all()
    became = Counter(demo.scalars(select(Message.status)))

    assert all(number[2:5] in ("202", "512") and number[5:10] == "55501" for number in numbers)
    assert became[MessageStatus.DELIVERED] / became.total() > 0.9
    assert set(became) <= {
        MessageStatus.DELIVERED,
        MessageStatus.UNDELIVERED,
        MessageStatus.FAILED,
    }


def _count_from_one(session: Session) -> None:
    """Let PostgreSQL number the rows of empty tables as in a new database.

    What was undone has used up numbers, and the texts of the demo come in through the
    product's own door, where the database numbers them.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in Model.metadata.sorted_tables:
        is_empty = session.execute(select(table).limit(1)).first() is None
        if is_empty and "id" in table.c:
            sequence = func.pg_get_serial_sequence(table.name, "id")
            session.execute(select(func.setval(sequence, 1, False)))


def test_the_same_seed_and_instant_give_the_same_rows(sessions: Sessions) -> None:
    with sessions.begin() as session:
        protocol.newest_version(session, now=NOW)  # its number is the database's to give
    found = []
    for _run in range(2):
        with sessions() as session:
            _count_from_one(session)
            seed(session, now=NOW, passwords_hash=HASH)
            found.append(rows_of(session))
            session.rollback()

    assert found[0] == found[1]


def test_it_never_mixes_with_what_is_there(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_clinic(session)

    with sessions() as session, pytest.raises(NotEmpty):
        seed(session, now=NOW, passwords_hash=HASH)

    assert not seed_if_empty(sessions, now=NOW, hasher=FAST_HASHER, password=PASSWORD)


def test_new_rows_get_ids_of_their_own_afterwards(filled: Sessions) -> None:
    with filled() as session:
        clinic = session.scalars(select(Clinic).order_by(Clinic.id)).first()
        assert clinic is not None
        patient = make_patient(session, clinic, phone=None)

        assert patient.id == 161
        session.rollback()


def test_each_demo_account_can_sign_in(sessions: Sessions, client: FlaskClient) -> None:
    assert seed_if_empty(sessions, now=NOW, hasher=FAST_HASHER, password=PASSWORD)

    for _role, email in DEMO_ACCOUNTS:
        answer = client.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 302
        client.post("/sign-out")


def test_the_script_fills_a_migrated_database_by_itself(
    sqlite_template: Path, tmp_path: Path
) -> None:
    path = tmp_path / "demo.sqlite3"
    shutil.copy(sqlite_template, path)
    script = Path(__file__).parents[3] / "scripts" / "seed_demo.py"

    done = subprocess.run(
        [sys.executable, str(script), "--password", PASSWORD],
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{path}",
            "INSTANCE_PATH": str(tmp_path),
            "DATA_KEYS": KEYS_WRITTEN,
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "160  patient" in done.stdout


def test_a_nurse_has_begun_a_welfare_check(demo: Session) -> None:
    scope = Scope(0, everything=True, clinic_ids=frozenset())

    count, (check,) = checks.open_checks(demo, scope, now=NOW)

    assert count == 1
    assert [step.kind for step in check.steps] == [StepKind.OTHER_NUMBER]
    assert check.steps[0].at > check.check.follow_up.opened_at
