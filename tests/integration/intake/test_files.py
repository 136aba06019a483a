"""Files of every kind: tables, Bundles, NDJSON, and what is none of these."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.intake import importing
from outreach.intake.files import BadFile, Source
from outreach.measures.models import Reading
from outreach.measures.rules import ReadingSource
from outreach.orm import Sessions
from tests.builders import make_patient
from tests.integration.intake.conftest import bring_in, put
from tests.unit.intake.builders import (
    NOW,
    a_bundle,
    a_person,
    a_pressure,
    a_row,
    a_table,
    an_observation,
    as_ndjson,
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf \r\n\n", "is empty", id="blank"),
        pytest.param("mrn;ü".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"PK\x03\x04\xff\xff", "spreadsheet", id="xlsx"),
        pytest.param(b"mrn,\0", "line 1 is not UTF-8", id="NUL"),
        pytest.param(b'{"a": 1}', "not FHIR", id="JSON"),
        pytest.param(b'[{"resourceType": "Patient"}]', "not FHIR", id="array"),
        pytest.param(b'{\n"resourceType": "Bundle", "entry": [', "can't be read", id="cut off"),
        pytest.param(b"{" * 100_000, "can't be read", id="deep"),
        pytest.param(b"hello", "missing: mrn, given_name", id="no header"),
    ],
)
def test_what_is_no_file_of_ours_is_refused_in_one_sentence(
    sessions: Sessions, clinic: Clinic, folder: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(BadFile, match=reason):
        bring_in(sessions, clinic, put(folder, content))


def test_a_table_may_begin_with_a_byte_order_mark(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    assert bring_in(sessions, clinic, put(folder, "\ufeff" + a_table(a_row()))).new == 1


def test_a_bundle_comes_in_whatever_its_order_or_layout(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    pretty = a_bundle(a_pressure(128.4, 81.2), an_observation(), a_person())
    minified = pretty.replace("\n", "").replace("p1", "p2")

    report = bring_in(sessions, clinic, put(folder, pretty, minified))

    assert (report.new, report.readings, report.enrolled) == (2, 6, 0)
    again = bring_in(sessions, clinic, put(folder, minified, pretty))
    assert (again.new, again.known, again.readings) == (0, 2, 0)
    reading = session.scalars(select(Reading).order_by(Reading.id)).first()
    assert reading is not None
    assert (reading.source, reading.is_time_known) == (ReadingSource.FHIR, True)


def test_patients_and_observations_may_come_in_two_files_in_either_order(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    observations = as_ndjson(
        an_observation(), an_observation(of="urn:uuid:dead"), an_observation(of="Patient/who")
    )
    people = as_ndjson(a_person(), a_person("dead", deceasedBoolean=True))

    report = bring_in(sessions, clinic, put(folder, observations, people))

    assert (report.new, report.readings, report.deceased) == (1, 1, 1)
    assert "not in these files, passed over: 1;" in report.notes[-1].reason


def test_tables_and_fhir_do_not_mix(sessions: Sessions, clinic: Clinic, folder: Path) -> None:
    with pytest.raises(BadFile, match="one kind"):
        bring_in(sessions, clinic, put(folder, a_table(a_row()), as_ndjson(a_person())))


def test_problems_beyond_the_limit_are_counted(
    sessions: Sessions, clinic: Clinic, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.intake.rules.MOST_REMARKS", 3)
    table = a_table(*(a_row(mrn=f"LS{n}", language="xx") for n in range(10)))

    report = bring_in(sessions, clinic, put(folder, table))

    assert (len(report.problems), report.more_problems, report.refused) == (3, 7, 10)


def test_nothing_is_locked_while_a_file_is_read(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    sources, target = put(folder, a_table(a_row())), importing.Target.of(clinic)

    with importing.read(sources, target, now=NOW), sessions.begin() as other:
        make_patient(other, clinic)


@pytest.fixture
def shared() -> Path:
    path = Path(__file__).parents[4] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("shared/data is not beside this checkout")
    return path


def test_the_example_files_come_in(sessions: Sessions, clinic: Clinic, shared: Path) -> None:
    def sources(pattern: str) -> list[Source]:
        return [Source(path, path.name) for path in sorted(shared.glob(pattern))]

    table = bring_in(sessions, clinic, sources("patients.csv"))
    bundles = bring_in(sessions, clinic, sources("fhir/*.json"))
    bulk = bring_in(sessions, clinic, sources("fhir-bulk/*.ndjson"))

    # 500 plausible rows, and of the 20 dirty ones LS900016 (said twice) and LS900017.
    assert (table.new, table.repeated, table.refused) == (502, 1, 17)
    assert [(problem.line, problem.field) for problem in table.problems] == [
        (502, "date_of_birth"),
        (503, "date_of_birth"),
        (504, "date_of_birth"),
        (505, "phone"),
        (506, "phone"),
        (507, "phone"),
        (508, "time_zone"),
        (509, "time_zone"),
        (510, "language"),
        (511, "hba1c_percent"),
        (512, "hba1c_percent"),
        (513, "hba1c_date"),
        (514, "phq9_total"),
        (515, "given_name"),
        (516, "family_name"),
        (517, "mrn"),
        (518, "mrn"),
    ]
    # 44 each of height, weight, body mass index, systolic and diastolic; 33 HbA1c, 29 glucose.
    assert (bundles.new, bundles.readings, bundles.problems) == (8, 5 * 44 + 33 + 29, [])
    # Encounters at the clinic, in emergency rooms and in hospital.
    assert bundles.visits == 111 + 9 + 3
    # 545 of them body mass indices: the bulk files hold no heights.
    assert (bulk.new, bulk.deceased, bulk.readings) == (67, 33, 2680 + 545)
    # Blood pressures without a unit, and the weights of small children.
    assert {problem.field for problem in bulk.problems} == {
        "Observation 55284-4",
        "Observation 29463-7",
    }
