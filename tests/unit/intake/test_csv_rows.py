"""A table of patients: what comes in, and what is said about what does not."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.intake import csv_rows
from outreach.intake.files import BadFile
from outreach.intake.rules import IncomingPatient, Note, Problem
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.patients.rules import Daypart, Sex
from tests.unit.intake.builders import (
    FRAME,
    a_row,
    a_table,
    notes_in,
    patients_in,
    problems_in,
    problems_of,
    read_row,
    read_table,
)


def test_a_whole_row_becomes_a_patient() -> None:
    patient = read_row(
        preferred_name="Ros",
        preferred_days="Mon Wed Fri",
        preferred_dayparts="evening morning",
        sms_consent="yes",
        voicemail_ok="no",
        welfare_check_ok="yes",
        wished_caller="woman",
        state="TX",
        hba1c_percent="9.4",
        hba1c_date="2026-10-04",
    )

    assert (patient.record_number, patient.given_name, patient.family_name) == (
        "LS1",
        "Rosa",
        "Nguyen",
    )
    assert patient.preferred_name == "Ros"
    assert patient.date_of_birth == date(1970, 2, 3)
    assert patient.sex is Sex.FEMALE
    assert patient.phones == ("+15125550147",)
    assert (patient.language, patient.zone) == ("en", "America/Chicago")
    assert patient.weekdays == {0, 2, 4}
    assert patient.dayparts == (Daypart.EVENING, Daypart.MORNING)
    assert (patient.is_text_agreed, patient.is_voicemail_allowed) == (True, False)
    assert patient.is_welfare_check_agreed is True
    assert (patient.wished_caller, patient.state) == (Sex.FEMALE, "TX")
    assert patient.enrolled_on == date(2026, 11, 16)
    (reading,) = patient.readings
    assert (reading.kind, reading.value) == (MeasureKind.HBA1C, Decimal("9.400"))
    assert reading.source is ReadingSource.CSV
    assert reading.key == "csv:hba1c:2026-10-04:9.4"
    noon = datetime(2026, 10, 4, 17, tzinfo=UTC)
    assert (reading.at, reading.taken_at(patient.zone)) == (None, noon)


# The dirty rows of the example file, one by one.
@pytest.mark.parametrize(
    ("deviations", "field", "reason"),
    [
        pytest.param({"date_of_birth": "03/02/1970"}, "date_of_birth", "year-month-day", id="1"),
        pytest.param({"date_of_birth": "1970-02-30"}, "date_of_birth", "not a day", id="2"),
        pytest.param({"date_of_birth": "2031-01-01"}, "date_of_birth", "the future", id="3"),
        pytest.param({"phone": "555"}, "phone", "too short", id="4"),
        pytest.param(
            {"phone": "call daughter 512-555-0186 after 5"}, "phone", "only one number", id="5"
        ),
        pytest.param({"phone": "5.12555E+09"}, "phone", "by a spreadsheet", id="6"),
        pytest.param({"time_zone": "CST"}, "time_zone", "write America/Chicago", id="7"),
        pytest.param({"time_zone": "America/Austin"}, "time_zone", "nearest large city", id="8"),
        pytest.param({"language": "Klingon"}, "language", "write en, es, pt-BR", id="9"),
        pytest.param(
            {"hba1c_percent": "86", "hba1c_date": "2026-10-01"},
            "hba1c_percent",
            "86 looks like mmol/mol; the column is in %",
            id="10",
        ),
        pytest.param(
            {"hba1c_percent": "9,4", "hba1c_date": "2026-10-01"},
            "hba1c_percent",
            "write 9.4 with a point",
            id="11",
        ),
        pytest.param({"hba1c_percent": "9.4"}, "hba1c_date", "needs its day", id="12"),
        pytest.param({"phq9_total": "31"}, "phq9_total", "between 0 and 27", id="13"),
        pytest.param(
            {"given_name": '=HYPERLINK("http://x")'}, "given_name", "like a formula", id="14"
        ),
        pytest.param({"family_name": "<b>Row</b>"}, "family_name", "without markup", id="15"),
        pytest.param({"mrn": ""}, "mrn", "is empty", id="16"),
    ],
)
def test_a_dirty_row_is_refused_with_its_field_and_what_to_do(
    deviations: dict[str, str], field: str, reason: str
) -> None:
    ((found, why),) = problems_of(**deviations)

    assert found == field
    assert reason in why


def test_blanks_around_cells_are_taken_off_and_foreign_numbers_are_fine() -> None:
    patient = read_row(mrn=" LS17 ", given_name="  María  ", phone="+52 55 1234 5678")

    assert (patient.record_number, patient.given_name) == ("LS17", "María")
    assert patient.phones == ("+525512345678",)


def test_everything_wrong_with_a_row_is_said_at_once() -> None:
    fields = [field for field, _reason in problems_of(mrn="", phone="555", time_zone="CST")]

    assert sorted(fields) == ["mrn", "phone", "time_zone"]


def test_columns_may_come_in_any_order_and_case() -> None:
    text = a_table(a_row(), header=sorted(a_row(), reverse=True))

    shuffled = patients_in(read_table(text))
    shouted = patients_in(read_table(text.replace("mrn", " MRN ")))

    assert shuffled == shouted == [read_row()]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_may_be_cut_by_semicolons_or_tabs(delimiter: str) -> None:
    text = a_table(a_row()).replace(",", delimiter)

    assert patients_in(read_table(text)) == [read_row()]


def test_a_missing_column_refuses_the_file_and_names_it() -> None:
    row = a_row()
    del row["time_zone"]

    with pytest.raises(BadFile, match="missing: time_zone"):
        read_table(a_table(row))


def test_a_column_named_twice_refuses_the_file() -> None:
    text = a_table(a_row()).replace("preferred_name", "phone", 1)

    with pytest.raises(BadFile, match="twice: 'phone'"):
        read_table(text)


def test_an_unknown_column_is_ignored_with_a_note() -> None:
    found = read_table(a_table(a_row(shoe_size="=cmd|' /C calc'!A0")))

    assert len(patients_in(found)) == 1
    assert notes_in(found)[0].field == "shoe_size"


def test_a_row_of_another_length_than_the_header_is_refused() -> None:
    (problem,) = problems_in(read_table(a_table(a_row()).rstrip("\n") + ",more\n"))

    assert (problem.line, problem.field) == (2, "")
    assert "18 cells, the header 17" in problem.reason


def test_a_missing_quotation_mark_costs_one_row_only() -> None:
    broken = a_table(a_row(given_name="QQQ"), a_row(mrn="LS2")).replace("QQQ", '"Rosa')

    found = read_table(broken)

    assert [problem.line for problem in problems_in(found)] == [2]
    assert [patient.line for patient in patients_in(found)] == [3]


def test_a_cell_of_an_ignored_column_may_run_over_several_lines() -> None:
    found = read_table(a_table(a_row(address="1 Oak\nAustin\nTX"), a_row(mrn="LS2", address="")))

    assert problems_in(found) == []
    assert [patient.line for patient in patients_in(found)] == [2, 5]


def test_empty_rows_are_nothing() -> None:
    found = read_table(a_table(a_row()) + ",,,,,,,,,,,,,,,,\n\n")

    assert len(found) == len(notes_in(found)) + 1


def test_an_unusual_value_is_taken_with_a_note() -> None:
    found = read_table(a_table(a_row(hba1c_percent="16", hba1c_date="2026-10-04")))

    assert patients_in(found)[0].readings[0].value == 16
    assert notes_in(found)[-1] == Note(
        2, "hba1c_percent", "16 % is unusual for HbA1c; it was taken, please check it"
    )


@pytest.mark.parametrize(
    ("deviations", "field"),
    [
        pytest.param({"hba1c_date": "2026-12-01"}, "hba1c_date", id="in the future"),
        pytest.param({"hba1c_date": "1960-12-01"}, "hba1c_date", id="before birth"),
        pytest.param({"hba1c_date": "10/04/2026"}, "hba1c_date", id="not ISO"),
    ],
)
def test_the_day_of_a_reading_is_checked(deviations: dict[str, str], field: str) -> None:
    assert [found for found, _why in problems_of(hba1c_percent="9.4", **deviations)] == [field]


def test_a_phq9_without_a_day_is_of_the_day_the_patient_joined() -> None:
    (reading,) = read_row(phq9_total="13").readings

    assert reading.key == "csv:phq9_total:2026-11-16:13"


@pytest.mark.parametrize("enrolled_on", ["", "2026-12-01"])
def test_a_phq9_that_no_column_dates_asks_for_one(enrolled_on: str) -> None:
    ((field, reason),) = problems_of(phq9_total="13", enrolled_on=enrolled_on)

    assert field == "phq9_date"
    assert "add this column" in reason


def test_a_phq9_has_its_own_day_where_there_is_a_column() -> None:
    (reading,) = read_row(phq9_total="13", phq9_date="2026-11-01").readings

    assert reading.on == date(2026, 11, 1)


def test_glucose_that_looks_like_mmol_is_refused() -> None:
    ((field, reason),) = problems_of(glucose_mg_dl="7.2", glucose_date="2026-10-04")

    assert field == "glucose_mg_dl"
    assert reason == "7.2 looks like mmol/L; the column is in mg/dL"


@given(
    st.fixed_dictionaries({name: st.text(max_size=80) for name in a_row()}),
    st.lists(st.sampled_from(["\n", '"', ",", "\r", "\x85", "\u2028"]), max_size=4),
)
def test_whatever_a_row_holds_it_comes_in_or_is_reported(
    cells: dict[str, str], noise: list[str]
) -> None:
    lines = (a_table(cells) + "".join(noise)).splitlines(keepends=True)

    found = list(csv_rows.incoming(lines, FRAME))

    assert all(isinstance(each, IncomingPatient | Problem | Note) for each in found)


@given(st.text(), st.sampled_from(list(a_row())))
def test_any_text_in_one_cell_comes_in_or_is_reported_for_that_cell(text: str, name: str) -> None:
    (row,) = [list(a_row(**{name: text}).values())]

    cells = csv_rows._by_name(2, row, list(a_row()))
    assert isinstance(cells, dict)
    found = list(csv_rows._Row(cells, 2, FRAME).values())

    assert patients_in(found) or {problem.field for problem in problems_in(found)} <= {
        name,
        "hba1c_date",
        "phq9_date",
    }
