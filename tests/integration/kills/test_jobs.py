"""The scheduler may be killed at any point of any job: run again, all is as if it had not.

Each job of the schedule runs in a process of its own, killed by the system, as ``kill -9`` does,
before the first statement of each transaction that writes and on both sides of each commit: at
most at MOST of these points, on PostgreSQL at a third. With ``OUTREACH_CRASHES=1`` at all.
``test_crashes.py`` ends the same jobs at every statement, by an exception that nothing catches.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from outreach import orm
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.upkeep import promises
from tests.integration.kills.databases import Marks, Rows
from tests.integration.kills.schedule import Schedule, job_names, schedule_on, walked_of
from tests.integration.kills.walking import EVERY
from tests.killing import Death, Point, deadly, kill
from tests.postgres import Server

MOST = 8
# Jobs that write nothing to the database, and why they may die anywhere.
NOTHING = {"sweep uploads": "deletes files by their age, and can be done again"}


@dataclass(frozen=True)
class Afterwards:
    """Who goes on after a process died: so many minutes later each time, these jobs.

    ``jobs``: none stands for the one that died. ``without``: what says when something was done,
    or by whom, which is another time or process then.
    """

    minutes: tuple[int, ...] = (0,)
    jobs: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()


def _asked_later(job: str) -> Afterwards:
    """Look a text up once its lease is over, and send it again once the list's silence counts."""
    times = ("calling_at", "accepted_at", "lease_until", "send_after", "tries", "paced_at")
    without = frozenset({"send_try", "sender_pace", *(f"message.{each}" for each in times)})
    return Afterwards((0, 6, 9, 6, 1, 45, 20), ("settle lost messages", job), without)


_WHEN_WRITTEN = {
    "audit_event.at",
    *(f"export.{each}" for each in ("claim", "expires_at", "file_name", "finished_at", "tries")),
}
# A letter of which nobody knows whether it went out is never sent again: its row shows it.
_LETTERS = Afterwards(without=frozenset({"message.status", "message.accepted_at"}))
AFTERWARDS = {
    "send due messages": _asked_later("send due messages"),
    "send in turn": _asked_later("send in turn"),
    "write exports": Afterwards(
        (0, 3), ("write exports", "expire exports"), frozenset(_WHEN_WRITTEN)
    ),
    "link audit events": Afterwards((0, 0)),  # notes that its kept end holds once there is one
    "anonymise who is due": Afterwards(without=frozenset({"patient.record_number"})),  # by chance
    "mail digests": _LETTERS,
    "mail support": _LETTERS,
}


@dataclass(frozen=True)
class Whole:
    """What a job comes to where nothing happens to it, and to what has gone on afterwards."""

    before: Marks
    points: tuple[Point, ...]
    rows: dict[str, Rows]
    told: tuple[list[int], list[str], list[str]]


@pytest.fixture(scope="module")
def schedule(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Schedule]:
    folder = tmp_path_factory.mktemp("jobs")
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        with (
            server.database("template_outreach") as url,
            schedule_on(orm.make_engine(url), folder) as found,
        ):
            yield found
        return
    template: Path = request.getfixturevalue("sqlite_template")
    (folder / "outreach.sqlite3").write_bytes(template.read_bytes())
    with schedule_on(orm.make_engine(f"sqlite:///{folder / 'outreach.sqlite3'}"), folder) as found:
        yield found


WALKS = [
    (engine, name)
    for engine in ("sqlite", "postgresql")
    for name in job_names()
    if name not in NOTHING
]


def test_the_jobs_are_those_of_the_schedule() -> None:
    assert len(job_names()) > 30
    assert {*NOTHING, *AFTERWARDS} <= {*job_names()}


@pytest.mark.parametrize(("schedule", "name"), WALKS, indirect=["schedule"], scope="module")
def test_a_job_killed_anywhere_and_run_again_has_its_effect_once(
    schedule: Schedule, name: str
) -> None:
    whole = _undisturbed(schedule, name)
    assert whole.rows, "it found nothing to do"
    walked = walked_of(whole.points, schedule.engine, most=MOST)
    for at in walked:
        _die(schedule, name, at)
        _go_on(schedule, name)
        where = f"killed at {at} of {len(whole.points)}, {whole.points[at - 1].value}"
        _assert_once(schedule, name, whole, where)
    is_here = schedule.engine.dialect.name == "sqlite"
    if EVERY or (is_here and whole.points.count(Point.COMMIT) > 1):  # else whole, or never begun
        _die(schedule, name, walked[len(walked) // 2])
        _check_promises(schedule)


@pytest.mark.parametrize("schedule", ["sqlite"], indirect=True, scope="module")
@pytest.mark.parametrize("name", NOTHING)
def test_a_job_of_which_nothing_is_walked_writes_nothing(schedule: Schedule, name: str) -> None:
    schedule.restore()
    before, death = schedule.database.marks(), Death()
    with deadly(schedule.engine, death):
        schedule.jobs()[name].run()

    assert (death.points, schedule.database.marks()) == ([], before)


def _undisturbed(schedule: Schedule, name: str) -> Whole:
    schedule.restore()
    before, death = schedule.database.marks(), Death()
    with deadly(schedule.engine, death):
        schedule.run(name)
    _go_on(schedule, name)
    return Whole(before, tuple(death.points), _rows(schedule, name, before), schedule.told())


def _die(schedule: Schedule, name: str, at: int) -> None:
    schedule.restore()
    schedule.forget()
    kill(schedule.engine, lambda: schedule.run(name), at)


def _go_on(schedule: Schedule, name: str) -> None:
    afterwards = AFTERWARDS.get(name, Afterwards())
    for minutes in afterwards.minutes:
        schedule.clock.advance(timedelta(minutes=minutes))
        for each in afterwards.jobs or (name,):
            schedule.run(each)


def _rows(schedule: Schedule, name: str, before: Marks) -> dict[str, Rows]:
    return schedule.rows(before, AFTERWARDS.get(name, Afterwards()).without)


def _assert_once(schedule: Schedule, name: str, whole: Whole, where: str) -> None:
    found = _rows(schedule, name, whole.before)
    for table in sorted({*found, *whole.rows}):
        now, then = found.get(table), whole.rows.get(table)
        assert now == then, f"{where}: {table}: {now} is not {then}"
    texts, letters, files = schedule.told()
    if AFTERWARDS.get(name) is _LETTERS:
        _assert_letters_are_told(schedule, letters, whole.told[1])
        letters = whole.told[1]
    assert (texts, letters, files) == whole.told, where


def _assert_letters_are_told(schedule: Schedule, sent: list[str], due: list[str]) -> None:
    """Hold what the mail server took against the rows: once at most, and none is lost unseen."""
    assert Counter(sent) <= Counter(due)
    with orm.reading(), schedule.sessions() as session:
        shown = session.scalars(
            select(Message.status).where(
                Message.kind.in_((MessageKind.DIGEST_EMAIL, MessageKind.SUPPORT_EMAIL))
            )
        ).all()
    assert len(shown) == len(due)
    assert shown.count(MessageStatus.ACCEPTED) <= len(sent)
    assert shown.count(MessageStatus.LOST) <= 1, "whoever goes on hands over the others"


def _check_promises(schedule: Schedule) -> None:
    """Let every job go on, now and when leases are over: no promise is broken, nothing doubled."""
    for minutes in (0, 60):
        schedule.clock.advance(timedelta(minutes=minutes))
        for name in job_names():
            schedule.run(name)
        with orm.reading(), schedule.sessions() as session:
            assert promises.breaches(session, now=schedule.clock()) == []
    texts, letters, _files = schedule.told()
    assert len(texts) == len(set(texts))
    assert len(letters) == len(set(letters))
