"""A clinic in which every job of the schedule finds something to do, and what is outside of it.

The carrier and the mail server outlive a process that is killed: what it handed over, they have.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, event

from config import SmtpServer
from outreach import orm
from outreach.exports.making import Place
from outreach.orm import Sessions
from outreach.scheduler.schedule import PeriodicJob, periodic_jobs
from outreach.telephony.gateway import OutboundSms
from outreach.telephony.mail import SmtpMailer
from tests.fakes import MONDAY_10_CHICAGO, PUBLIC_URL, FakeClock, FakeGateway
from tests.integration.kills import everything_due
from tests.integration.kills.databases import Database, Marks, Rows, database_of, seen
from tests.integration.kills.walking import EVERY
from tests.integration.planning import busy
from tests.killing import Point, first_writes_and_commits, hasty, spread
from tests.smtp import LocalSmtp

Taken = tuple[datetime, OutboundSms]


class Book(list[Taken]):
    """What a carrier took, kept in a file as well: any process may have handed it over."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def append(self, taken: Taken) -> None:
        """Write a text down before its sender hears of it."""
        at, sms = taken
        with self.file.open("a") as file:
            file.write(json.dumps([at.isoformat(), asdict(sms)]) + "\n")
        super().append(taken)

    def read(self) -> None:
        """Have what every process handed over."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        each = map(json.loads, lines)
        self[:] = [(datetime.fromisoformat(at), OutboundSms(**sms)) for at, sms in each]


class Going(FakeClock):
    """A clock that stands still, but for who waits for a turn: it goes on as it is read."""

    step = timedelta()

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


class Schedule:
    """The jobs, and all that they change: rows, files, what the carrier and people were sent."""

    def __init__(self, engine: Engine, folder: Path, mail: LocalSmtp) -> None:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", hasty)
        self.engine, self.sessions, self.mail = engine, orm.make_sessions(engine), mail
        self.clock = Going()
        self.book = Book(folder / "carrier")
        self.gateway = FakeGateway(self.clock, taken=self.book)
        self.files, self._kept = folder / "files", folder / "kept"
        self.place = Place(self.files / "exports", timedelta(days=7), b"key")
        people = busy.fill(self.sessions, now=self.clock())
        with self.sessions.begin() as session:
            everything_due.fill(session, people, self.gateway, now=self.clock())
        self._carriers_first = self.book.file.read_text()
        self._lay_files()
        self.database: Database = database_of(engine)

    def _lay_files(self) -> None:
        self.place.folder.mkdir(parents=True)
        for name in (everything_due.OVER, everything_due.STRAY):
            (self.place.folder / name).write_text("a")
        shutil.copytree(self.files, self._kept)

    def jobs(self) -> dict[str, PeriodicJob]:
        """Return every job of the product, by its name."""
        found = periodic_jobs(
            self.sessions,
            self.gateway,
            self.clock,
            self.files / "uploads",
            self.place,
            PUBLIC_URL,
            mailer_to(self.mail.port),
            audit_head=self.files / "audit_head",
        )
        return {job.name: job for job in found}

    def run(self, name: str) -> None:
        """Run a job; only who waits for turns needs a clock that goes."""
        is_paced = name == "send in turn"
        self.clock.step = timedelta(milliseconds=10 if is_paced else 0)
        self.book.read()
        self.jobs()[name].run()
        self.clock.step = timedelta()

    def forget(self) -> None:
        """Let go of every connection: the next process has connections of its own."""
        self.engine.dispose()

    def restore(self) -> None:
        """Put everything back as it was before any job ran."""
        self.forget()
        self.database.restore()
        self.clock.now = MONDAY_10_CHICAGO
        self.book.file.write_text(self._carriers_first)
        self.book.read()
        self.mail.letters.clear()
        shutil.rmtree(self.files)
        shutil.copytree(self._kept, self.files)

    def rows(self, before: Marks, without: frozenset[str]) -> dict[str, Rows]:
        """Return the rows of each table that changed, without some columns or tables."""
        return seen(self.engine, before, self.database.marks(), without)

    def told(self) -> tuple[list[int], list[str], list[str]]:
        """Return whom texts and letters went to, and which files are there, by their endings."""
        self.book.read()
        texts = sorted(sms.reference for _at, sms in self.book)
        letters = sorted(str(letter["Message-ID"]) for _to, letter in self.mail.letters)
        files = (path for path in self.files.rglob("*") if path.is_file())
        return texts, letters, sorted(path.suffix or path.name for path in files)


@contextmanager
def schedule_on(engine: Engine, folder: Path) -> Iterator[Schedule]:
    """Make a schedule on an empty database, with a mail server of its own."""
    with LocalSmtp() as mail:
        found = Schedule(engine, folder, mail)
        yield found
        found.database.close()
        found.forget()


def mailer_to(port: int) -> SmtpMailer:
    """Return what hands letters over to a mail server on this machine."""
    sender = "Us <us@clinic.example>"
    return SmtpMailer(SmtpServer(host="127.0.0.1", port=port, sender=sender, security="none"))


def walked_of(points: Sequence[Point], engine: Engine, *, most: int) -> Sequence[int]:
    """Return the numbers of the points to be killed at."""
    if EVERY:
        return range(1, len(points) + 1)
    found = first_writes_and_commits(points)
    assert len(found) >= 3, "both sides of a commit, and a statement"
    is_a_third = engine.dialect.name == "postgresql"
    return spread(found, min(most, -(-len(found) // 3)) if is_a_third else most)


def job_names() -> list[str]:
    """Return the jobs of a scheduler that lacks nothing, in their order."""
    clock, nowhere = FakeClock(), Path("nowhere")
    place = Place(nowhere, timedelta(days=7), b"key")
    jobs = periodic_jobs(
        Sessions(), FakeGateway(clock), clock, nowhere, place, PUBLIC_URL, mailer_to(0)
    )
    return [job.name for job in jobs]
