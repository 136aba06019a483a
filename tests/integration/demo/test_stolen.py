"""Who steals a database of the whole demo, its log or its backup reads nobody in it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.calls.models import CallNote, Promise
from outreach.concerns.models import LowSugarCard
from outreach.exports import requesting
from outreach.exports.rules import Content, Format
from outreach.goals.models import Goal
from outreach.messaging import pacing
from outreach.messaging.models import InboundText, Message
from outreach.orm import Model
from outreach.oversight import events
from outreach.patients.models import Patient, PhoneNumber
from outreach.phoning.models import PhoneCall
from outreach.planning.models import PlannedCall
from outreach.searching.jobs import index_backlog
from outreach.upkeep import backups
from scripts.seed_demo import seed
from tests import postgres as embedded
from tests.conftest import HASH
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.postgres import Server
from tests.telephones import make_phone_call

SEALED = re.compile(r"[vs]1\.[^.\s]+\.[A-Za-z0-9_=-]+")
WORD = re.compile(r"\w+")
TOKENS = re.compile(r"[nw][a-z2-7]+")
STAFF_NUMBERS = (StaffMember.phone, StaffMember.work_phone, PhoneCall.staff_number)
SENDER, LEAD = "CedarCreekCare", "Dr. Quirina Aldersey"
SHORTEST_IN_BYTES = 10  # shorter ones turn up in encrypted text by chance
READABLE = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]{10,}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stolen")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A database of the whole module: filling one takes some seconds, and the tests only read."""
    if request.param == "sqlite":
        path = folder / "demo.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database("template_outreach") as address:
        yield address


@pytest.fixture(scope="module")
def stolen(url: str) -> Iterator[Engine]:
    engine = orm.make_engine(url)
    sessions = orm.make_sessions(engine)
    with sessions.begin() as session:
        seed(session, now=NOW, passwords_hash=HASH)
        _ring_somebody(session)
        _ask_about_somebody(session)
    index_backlog(sessions)
    yield engine
    engine.dispose()


def _ring_somebody(session: Session) -> None:
    """Let the first caller have a telephone, from which they ring a patient."""
    planned = session.scalars(select(PlannedCall).order_by(PlannedCall.id)).first()
    caller = session.scalars(select(StaffMember).order_by(StaffMember.id)).first()
    assert planned
    assert caller
    caller.work_phone = "+15305559021"
    make_phone_call(session, planned, caller, staff_number="+15305559022")


def _ask_about_somebody(session: Session) -> None:
    """Let an administrator give a clinic a sender with a pace, and take files about somebody."""
    clinic = session.scalars(select(Clinic).order_by(Clinic.id)).first()
    asker = session.scalars(
        select(StaffMember).join(Membership).where(Membership.role == Role.ADMINISTRATOR)
    ).first()
    other = session.scalars(select(StaffMember).order_by(StaffMember.id)).first()
    assert clinic
    assert asker
    assert other
    card = {"language": "en", "number": 7, "say": "Sit down.", "approved_by": LEAD}
    card |= {"approved_on": NOW.date(), "at": NOW, "by_staff_id": asker.id}
    session.add(LowSugarCard(clinic_id=clinic.id, **card))
    pacing.choose(session, clinic, SENDER, 3, by_staff_id=asker.id, now=NOW)
    actor = staff.actor(session, asker.id, now=NOW)
    assert actor
    zone = ZoneInfo(asker.zone)
    asked = events.Asked(NOW.date(), NOW.date(), zone, staff=other.name).params
    wishes = (
        requesting.Wish(Content.AUDIT, Format.CSV, asked),
        requesting.Wish(Content.STAFF, Format.CSV, {"search": other.email}),
    )
    for number, wish in enumerate(wishes):
        requesting.ask(session, actor, wish, form_key=f"stolen-{number}", now=NOW)


def of_those_who_work_here(session: Session) -> set[str]:
    """Return names, addresses and numbers of the staff, and numbers of clinics, in each form."""
    found = set()
    for person in session.scalars(select(StaffMember)):
        found |= {person.name, person.name.split()[-1]}
        found |= {person.email, person.email.partition("@")[0]}
    for clinic in session.scalars(select(Clinic)):
        parsed = phonenumbers.parse(clinic.phone_number)
        national = phonenumbers.PhoneNumberFormat.NATIONAL
        found |= {clinic.phone_number, str(parsed.national_number)}
        found.add(phonenumbers.format_number(parsed, national))
    assert {"Ana Morales", "Morales", "ana.morales", "2025550100"} < found
    return found | {SENDER, LEAD} | numbers_of_staff(session)


def numbers_of_staff(session: Session) -> set[str]:
    """Return every telephone of the staff."""
    found = {number for each in STAFF_NUMBERS for number in session.scalars(select(each)) if number}
    assert {"+15305559021", "+15305559022"} < found
    assert len(found) > 4
    return found


def secrets_of(session: Session) -> set[str]:
    """Return what must not be read: names, numbers and words, as they were typed."""
    found = {
        value
        for row in session.execute(
            select(Patient.given_name, Patient.family_name, Patient.preferred_name,
                   Patient.said_as, Patient.record_number, Patient.about, Patient.approach)
        )
        for value in row
    }  # fmt: skip
    for column in (PhoneNumber.e164, CallNote.text, Promise.text, Goal.text, Message.body,
                   InboundText.body):  # fmt: skip
        found |= set(session.scalars(select(column)))
    for patient in session.scalars(select(Patient)):
        found.add(patient.full_name)
    found |= of_those_who_work_here(session)
    return {value for value in found if value and len(value) >= 4}


def test_no_row_shows_a_name_a_number_or_a_word(stolen: Engine) -> None:
    with orm.reading(), orm.make_sessions(stolen)() as session:
        secrets = secrets_of(session)
        assert len(secrets) > 500
        sealed = 0
        for table in Model.metadata.sorted_tables:
            rows = session.execute(text(f"SELECT * FROM {table.name}"))  # noqa: S608 - ours
            shown = {str(value) for row in rows for value in row}
            in_the_open = {each for each in shown if not SEALED.fullmatch(each)}
            sealed += len(shown) - len(in_the_open)
            assert told_by(in_the_open, secrets) == [], table.name
    assert sealed > 5000


def told_by(values: set[str], secrets: set[str]) -> list[str]:
    """Return which of ``secrets`` stand in one of ``values``, as words of their own.

    Only those are looked for of which each word stands somewhere: for all it takes half a minute.
    """
    words = {word for value in values for word in WORD.findall(value)}
    possible = [each for each in secrets if words.issuperset(WORD.findall(each))]
    if not possible:
        return []
    any_of_them = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in possible))
    return [each for each in values if any_of_them.search(each)]


def test_what_is_told_is_found_as_a_word_of_its_own() -> None:
    secrets = {"Rosa", "Rosa Nguyen", "+15125550147", "slept well"}

    assert told_by({"to Rosa, who slept", "Rosanna"}, secrets) == ["to Rosa, who slept"]
    assert told_by({"+15125550147"}, secrets) == ["+15125550147"]
    assert told_by({"she slept well."}, secrets) == ["she slept well."]
    assert told_by({"well slept", "Nguyens", "x"}, secrets) == []


def test_the_index_holds_hashes_alone(stolen: Engine) -> None:
    with orm.reading(), orm.make_sessions(stolen)() as session:
        kept = session.execute(text("SELECT words FROM search_entry")).scalars().all()
    tokens = [re.sub(r"'([^']*)':[\d,]+", r"\1", words).split() for words in kept]
    assert len(tokens) > 200
    assert all(TOKENS.fullmatch(token) for words in tokens for token in words)


def test_the_bytes_of_file_log_and_backup_show_nothing(
    stolen: Engine,
    url: str,
    folder: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(backups.PROGRAMS, str(embedded._binaries()))
    with orm.reading(), orm.make_sessions(stolen)() as session:
        secrets = {s for s in secrets_of(session) if len(s) >= SHORTEST_IN_BYTES}
        clinics = session.scalars(text("SELECT name FROM clinic")).all()
    files = [each for each in folder.rglob("demo.sqlite3*") if each.is_file()]
    if stolen.dialect.name == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        with stolen.connect() as connection:
            oid = connection.scalar(
                text("SELECT oid FROM pg_database WHERE datname = current_database()")
            )
            connection.commit()
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("CHECKPOINT"))
        files = server.files(oid)
    else:
        assert any(each.name.endswith("-wal") for each in files)
    made = backups.make(url, tmp_path / "backups", now=NOW)
    files += [each for each in made.rglob("*") if each.is_file()]
    read = {run for each in files for run in READABLE.findall(each.read_bytes())}
    contents = b"\0".join(read)  # each once: they are looked through for thousands of secrets

    assert all(READABLE.fullmatch(each.encode()) for each in secrets)
    assert all(name.encode() in contents for name in clinics)  # these files are the right ones
    assert [each for each in secrets if each.encode() in contents] == []
