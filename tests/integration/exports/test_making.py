"""Files are whole or not there, written once, taken by who asked for them, and deleted."""

import csv
import io
import stat
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from config import Config
from outreach.accounts.models import Membership
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.exports import sheets
from outreach.exports.jobs import expire_exports
from outreach.exports.models import Export
from outreach.exports.rules import LEASE, MOST_TRIES, Progress, Trouble
from outreach.measures.rules import MeasureKind
from outreach.orm import failing_rows
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.exports.conftest import House
from tests.xlsx import sheets as sheets_of

NOW = MONDAY_10_CHICAGO


def test_the_list_as_csv_has_its_columns_and_no_formula(house: House) -> None:
    house.ask("patients", "csv", "columns=hba1c&columns=concern&hba1c_over=9")

    rows = house.rows()

    assert len(rows) == 13
    assert rows[0] == {
        "record_number": rows[0]["record_number"],
        "given_name": "P00",
        "family_name": "'=HYPERLINK(1)",
        "hba1c_percent": "9.5",
        "hba1c_on": "2026-01-05",
        "open_concern": "no",
    }
    assert house.one().rows_done == 13


def test_the_list_as_xlsx_has_typed_cells_and_says_what_they_mean(house: House) -> None:
    house.ask("patients", "xlsx", "columns=age&columns=hba1c&columns=enrolled&silent_days=5")

    found = sheets_of(house.taken())
    head, first, *rest = found["Data"]
    told = {row[0]: row[1] for row in found["Definitions"] if len(row) == 2}

    assert head == [
        "record_number", "given_name", "family_name", "age", "first_day", "hba1c_percent",
        "hba1c_on",
    ]  # fmt: skip
    assert first[2:] == [
        "=HYPERLINK(1)", 126, NOW.date() - timedelta(days=60), 9.5, date(2026, 1, 5),
    ]  # fmt: skip
    assert len(rest) == 12
    assert told["silent_days"] == "5"
    assert "percent" in str(told["hba1c_percent"])


def test_calls_of_some_days(house: House) -> None:
    house.ask("calls", "csv", "clinic=NORTH&from_on=2026-11-14&until_on=2026-11-14")

    rows = house.rows()

    assert len(rows) == 26
    assert {row["outcome"] for row in rows} == {"no_answer", "reached_completed"}
    assert rows[0]["dialled_at"] == "2026-11-14 09:00:00"
    assert (rows[0]["caller"], rows[0]["due_on"]) == ("Ana Lima", "2026-11-14")


def test_adherence_as_pdf_and_table(house: House) -> None:
    days = "clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20"
    house.ask("adherence", "pdf", days)

    assert house.taken().startswith(b"%PDF-")
    house.ask("adherence", "xlsx", days, key="another")
    assert house.write() == 1


def test_a_file_is_whole_ours_alone_and_noted(house: House, config: Config) -> None:
    house.ask("patients", "csv")
    house.ask("patients", "csv")  # the same form again
    before = house.one()
    early = house.client.get(f"/exports/{before.ref}/file").status_code
    taken = house.taken()
    kept = list(config.exports.iterdir())

    assert taken.count(b"\n") == 14
    assert house.one().bytes == len(taken)
    assert taken.splitlines()[1] not in kept[0].read_bytes()  # who takes the disk reads nobody
    assert (before.progress, early) == (Progress.WAITING, 404)
    assert [path.name for path in kept] == [house.one().file_name]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(config.exports.stat().st_mode) == 0o700
    with house.sessions() as session:
        noted = session.scalars(
            select(AuditEvent.action).where(AuditEvent.object_kind == "export")
        ).all()
    assert noted == [
        "asked for a file of patients",
        "made a file of patients",
        "downloaded a file of patients",
    ]


def test_a_file_that_was_changed_or_whose_key_is_gone_is_no_file(
    house: House, config: Config
) -> None:
    house.ask("patients", "csv")
    house.taken()
    (path,) = config.exports.iterdir()
    path.write_bytes(path.read_bytes()[:-1])

    assert house.client.get(f"/exports/{house.one().ref}/file").status_code == 404


def test_nobody_else_takes_a_file(house: House) -> None:
    house.ask("patients", "csv")
    house.write()
    path = f"/exports/{house.one().ref}/file"
    with house.sessions.begin() as session:
        colleague = make_staff(session, house.clinic, Role.MANAGER, password_hash=HASH)
        caller = make_staff(session, house.clinic, password_hash=HASH)

    for person in (colleague, caller):
        sign_in(house.client, person)
        assert house.client.get(path).status_code == 404
        assert path not in house.client.get("/exports/").text
    assert house.ask("patients", "csv", key="other") == 404  # the caller, whom the list is not for
    with house.sessions.begin() as session:
        assessor = make_staff(session, house.clinic, Role.ASSESSOR, password_hash=HASH)
    sign_in(house.client, assessor)
    assert house.client.get("/exports/").status_code == 404


def test_what_there_is_no_file_of(house: House) -> None:
    assert house.ask("patients", "pdf") == 404
    assert house.ask("research", "zip") == 404
    assert house.ask("everything", "csv") == 404
    assert house.ask("calls", "csv", "clinic=ELSEWHERE") == 404
    assert house.ask("calls", "csv", "from_on=soon&until_on=later") == 404
    assert house.ask("patients", "csv", "hba1c_over=high") == 404
    assert house.ask("patients", "csv", key="") == 404
    with house.sessions() as session:
        assert session.scalars(select(Export)).all() == []


def test_the_page_shows_how_far_it_is_and_refreshes_itself(house: House) -> None:
    house.ask("patients", "csv")
    waiting = house.client.get("/exports/").text
    with house.sessions.begin() as session:
        session.execute(
            update(Export).values(progress=Progress.WRITING, rows_done=5, rows_total=13)
        )
    part = house.client.get("/exports/", headers={"HX-Request": "true"}).text
    with house.sessions.begin() as session:
        session.execute(update(Export).values(progress=Progress.WAITING))
    house.write()
    ready = house.client.get("/exports/").text

    assert 'hx-trigger="every 2s"' in waiting
    assert "Look again" in waiting
    assert 'max="13" value="5"' in part
    assert "<html" not in part
    assert "hx-trigger" not in ready
    assert f"/exports/{house.one().ref}/file" in ready
    assert "13 rows" in ready


def test_a_killed_worker_s_file_is_begun_anew_by_another(
    house: House, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    house.ask("patients", "csv")

    class Killed(BaseException):
        pass

    def dies(_table: object, path: Path, watch: Callable[[int], None]) -> int:
        path.write_text("half a fi")
        watch(3)
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(sheets, "write_csv", dies)
        broken.setattr(Path, "unlink", lambda *_path, **_rest: None)  # nobody tidies up
        with pytest.raises(Killed):
            house.write()
    left = house.one()
    page = house.client.get("/exports/").text

    assert (left.progress, left.rows_done) == (Progress.WRITING, 3)
    assert "Download" not in page
    assert house.write() == 0  # the lease still runs
    house.clock.advance(LEASE)
    assert len(house.rows()) == 13
    assert house.one().tries == 2
    assert len(list(config.exports.iterdir())) == 2
    assert expire_exports(house.sessions, house.clock, house.place) == 1
    assert [path.name for path in config.exports.iterdir()] == [house.one().file_name]


def test_who_lost_the_claim_stops_and_offers_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.ask("patients", "csv")
    write = sheets.write_csv
    rounds: list[int] = []

    def slow(table: object, path: Path, watch: Callable[[int], None]) -> int:
        if not rounds:
            rounds.append(1)
            house.clock.advance(LEASE)
            assert house.write() == 1  # somebody else takes it up, and is done first
        return write(table, path, watch)  # type: ignore[arg-type]

    monkeypatch.setattr(sheets, "write_csv", slow)
    house.write()

    assert house.one().tries == 2
    assert len(house.rows()) == 13
    assert len(list(house.place.folder.iterdir())) == 1


def test_what_fails_again_and_again_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.ask("patients", "csv")

    def fails(*_given: object) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(sheets, "write_csv", fails)
    with failing_rows() as failed:
        for _try in range(MOST_TRIES):
            house.write()
            house.clock.advance(LEASE)
        house.write()

    assert failed == [house.one().id] * MOST_TRIES
    assert house.one().progress is Progress.FAILED
    assert house.one().trouble == Trouble.GAVE_UP
    assert "It failed several times" in house.client.get("/exports/").text
    assert list(house.place.folder.iterdir()) == []


def test_a_file_is_deleted_when_its_days_are_over(house: House) -> None:
    house.ask("patients", "csv")
    house.write()
    path = f"/exports/{house.one().ref}/file"
    house.clock.advance(timedelta(days=7))
    sign_in(house.client, house.manager)

    late = house.client.get(path).status_code
    deleted = expire_exports(house.sessions, house.clock, house.place)

    assert (late, deleted) == (404, 2)
    assert house.one().progress is Progress.EXPIRED
    assert list(house.place.folder.iterdir()) == []
    assert expire_exports(house.sessions, house.clock, house.place) == 0


def test_who_lost_their_role_gets_nothing(house: House) -> None:
    house.ask("patients", "csv")
    with house.sessions.begin() as session:
        session.execute(
            update(Membership)
            .where(Membership.staff_id == house.manager.id)
            .values(role=Role.NURSE)
        )
    house.write()

    assert house.one().trouble == Trouble.NOT_ALLOWED
    assert house.one().progress is Progress.FAILED


def test_a_searched_list_holds_what_the_search_found(house: House) -> None:
    where = house.client.post(
        "/patients/search", data={"text": "P03", "how": "all", "where": "names"}
    ).location
    house.ask("patients", "csv", where.partition("?")[2])

    assert [row["given_name"] for row in house.rows()] == ["P03"]


def test_no_more_than_some_at_a_time(house: House) -> None:
    answers = [house.ask("patients", "csv", key=str(number)) for number in range(6)]

    assert answers == [302] * 5 + [422]
    assert house.write() == 5
    assert house.ask("patients", "csv", key="more") == 302


def test_the_research_file_tells_nobody_s_name(house: House) -> None:
    with house.sessions.begin() as session:
        admin = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(house.client, admin)
    house.ask("research", "zip")

    file = zipfile.ZipFile(io.BytesIO(house.taken()))
    texts = {name: file.read(name).decode("utf-8-sig") for name in file.namelist()}
    patients = list(csv.DictReader(io.StringIO(texts["patients.csv"])))
    measured = list(csv.DictReader(io.StringIO(texts["measurements.csv"])))
    everything = "".join(texts.values())

    assert set(texts) == {"patients.csv", "measurements.csv", "codebook.txt"}
    assert (len(patients), len(measured)) == (13, 26)
    for word in ("HYPERLINK", "P00", "secret", "R000", "1970", "North", "NORTH", "Ana Lima"):
        assert word not in everything, word
    assert {row["age"] for row in patients} <= {"hidden", "65+", "40-64", "90+"}
    assert {(row["dials"], row["reached"], row["minutes"]) for row in patients} == {
        ("2", "1", "12")
    }
    first = {row["patient"]: date.fromisoformat(row["first_day"]) for row in patients}
    for row in measured:
        passed = date.fromisoformat(row["taken_on"]) - first[row["patient"]]
        assert passed.days == int(row["day"])
    assert len(set(first.values())) > 1
    assert "no cell of fewer than 11" in texts["codebook.txt"]


def test_too_few_people_make_no_research_file(house: House) -> None:
    with house.sessions.begin() as session:
        admin = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        for enrolment in session.scalars(select(Enrolment).limit(3)):
            enrolment.enrolled_at = NOW + timedelta(days=1)  # not enrolled yet: 10 are left
    sign_in(house.client, admin)
    house.ask("research", "zip")
    house.write()

    assert house.one().trouble == Trouble.TOO_FEW
    assert "somebody could be known" in house.client.get("/exports/").text
    assert list(house.place.folder.iterdir()) == []


def test_the_research_file_singles_nobody_out_by_body_death_or_yesterday(house: House) -> None:
    with house.sessions.begin() as session:
        admin = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        enrolments = session.scalars(select(Enrolment).order_by(Enrolment.id)).all()
        enrolments[0].status = EnrolmentStatus.DIED
        patients = [session.get_one(Patient, each.patient_id) for each in enrolments]
        make_reading(session, patients[1], MeasureKind.WEIGHT, "412")
        make_reading(session, patients[2], value="7.7", taken_at=NOW - timedelta(hours=3))
    sign_in(house.client, admin)
    house.ask("research", "zip")

    with zipfile.ZipFile(io.BytesIO(house.taken())) as file:
        texts = {name: file.read(name).decode("utf-8-sig") for name in file.namelist()}
    assert "died" not in texts["patients.csv"]
    assert ",412," not in texts["measurements.csv"]
    assert ",7.7," not in texts["measurements.csv"]
    assert ",9.5," in texts["measurements.csv"]
