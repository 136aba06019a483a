"""The check of each cell."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.intake.rules import Refused, fields
from outreach.patients.rules import Daypart, Sex

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("5125550147", "+15125550147"),
        ("(512) 555-0147", "+15125550147"),
        ("512.555.0147", "+15125550147"),
        ("1-512-555-0147", "+15125550147"),
        ("512\u2013555\u20130147", "+15125550147"),
        (" +52 55 1234 5678 ", "+525512345678"),
        ("\uff15\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff14\uff17", "+15125550147"),
    ],
)
def test_a_number_is_read_however_it_is_written(cell: str, number: str) -> None:
    assert fields.phone(cell, region="US") == number


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "is empty"),
        ("555", "area code"),
        ("555-0147", "area code"),
        ("51255501471234", "too long"),
        ("1234567890", "not a number in use"),
        ("512-555-0147 ext 4", "only one number"),
        ("512-555-0147 / 512-555-0148", "only one number"),
        ("+999 1234567", "not a phone number"),
        ("5.12555E+09", "spreadsheet"),
        ("+", "not a phone number"),
    ],
)
def test_what_is_no_number_is_refused(cell: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        fields.phone(cell, region="US")


def test_the_clinics_region_says_whose_numbers_come_without_a_plus() -> None:
    assert fields.phone("55 1234 5678", region="MX") == "+525512345678"


@given(st.from_regex(r"\+1[0-9]{10}", fullmatch=True))
def test_a_number_of_the_usual_form_is_read_as_parsing_would(written: str) -> None:
    with suppress(Refused):  # the same length and plan, so refused or not by the same check
        parsed = phonenumbers.parse(written, "US")
        number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        is_valid = phonenumbers.is_valid_number(parsed)
        assert fields.possible_phone(written, region="US") == (number, is_valid)


@pytest.mark.parametrize(
    ("cell", "zone"),
    [
        ("America/Chicago", "America/Chicago"),
        (" america/indiana/knox ", "America/Indiana/Knox"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_known_by_its_name(cell: str, zone: str) -> None:
    assert fields.zone(cell) == zone


@pytest.mark.parametrize("cell", ["", "CST", "EST", "est5edt", "Etc/GMT+6", "UTC-6", "../etc"])
def test_what_is_no_place_is_no_zone(cell: str) -> None:
    with pytest.raises(Refused, match="America/"):
        fields.zone(cell)


@pytest.mark.parametrize(
    ("cell", "language"),
    [
        ("en", "en"),
        ("EN-us", "en"),
        ("es_MX", "es"),
        ("pt-BR", "pt-BR"),
        ("pt", "pt-BR"),
        ("fr",) * 2,
    ],
)
def test_a_language_is_known_by_its_code(cell: str, language: str) -> None:
    assert fields.language(cell) == language


@pytest.mark.parametrize("cell", ["", "Klingon", "xx", "english", "e", "en-"])
def test_what_is_no_code_is_no_language(cell: str) -> None:
    with pytest.raises(Refused, match="en, es"):
        fields.language(cell)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1906-11-23", None),
        ("1905-11-23", "older than 120"),
        ("2026-11-23", None),
        ("2026-11-24", "future"),
        ("19700203", "year-month-day"),
        ("1970-W05-2", "year-month-day"),
        ("1970-2-3", "year-month-day"),
        ("\u0661970-02-03", "year-month-day"),
        ("0000-01-01", "calendar"),
    ],
)
def test_a_birthday_is_a_day_of_somebody_who_may_be_alive(cell: str, reason: str | None) -> None:
    if reason is None:
        assert fields.date_of_birth(cell, today=TODAY) == date.fromisoformat(cell)
    else:
        with pytest.raises(Refused, match=reason):
            fields.date_of_birth(cell, today=TODAY)


def test_joining_more_than_a_year_ahead_is_a_slip() -> None:
    assert fields.enrolled_on("", today=TODAY) is None
    assert fields.enrolled_on("2027-11-23", today=TODAY) == date(2027, 11, 23)
    with pytest.raises(Refused, match="check the year"):
        fields.enrolled_on("2027-11-24", today=TODAY)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("=1+1", "formula"),
        ("+Rosa", "formula"),
        ("-Rosa", "formula"),
        ("@Rosa", "formula"),
        ("<b>", "markup"),
        ("a\nb", "can't be seen"),
        ("a\tb", "can't be seen"),
        ("a\u202eb", "can't be seen"),
        ("a\ud800b", "can't be seen"),
        ("a\0b", "can't be seen"),
        ("x" * 121, "at most 120"),
        (" \u00a0 ", "empty"),
    ],
)
def test_names_are_plain_text(cell: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        fields.words(cell, most=120)


@pytest.mark.parametrize("name", ["O'Neill", "De-la-Cruz", "Muñoz", "Nguyễn", "李", "D\u2019Souza"])
def test_names_of_all_the_world_come_in(name: str) -> None:
    assert fields.words(name, most=120) == name


def test_a_name_is_the_same_however_its_accents_are_stored() -> None:
    assert fields.words("Mun\u0303oz", most=120) == "Muñoz"


@pytest.mark.parametrize(
    ("cell", "sex"), [("F", Sex.FEMALE), ("male", Sex.MALE), ("", Sex.UNKNOWN), ("X", Sex.OTHER)]
)
def test_sex_is_as_recorded(cell: str, sex: Sex) -> None:
    assert fields.sex(cell) is sex


def test_yes_no_and_nothing_are_three_things() -> None:
    assert [fields.yes_or_no(cell) for cell in ("Yes", "n", " ")] == [True, False, None]
    with pytest.raises(Refused, match="write yes or no"):
        fields.yes_or_no("maybe")


def test_days_and_parts_of_days_keep_what_was_meant() -> None:
    assert fields.weekdays("Mon Thurs, sunday") == {0, 3, 6}
    assert fields.dayparts("evening morning evening") == (Daypart.EVENING, Daypart.MORNING)
    assert (fields.weekdays(""), fields.dayparts(" ")) == (frozenset(), ())


@pytest.mark.parametrize(
    ("check", "cell"),
    [(fields.weekdays, "Mon Lun"), (fields.weekdays, "T"), (fields.dayparts, "night")],
)
def test_an_unknown_word_is_refused(check: Callable[[str], object], cell: str) -> None:
    with pytest.raises(Refused, match="write"):
        check(cell)


@given(st.text())
def test_no_text_breaks_a_check(text: str) -> None:
    checks: list[Callable[[str], object]] = [
        lambda cell: fields.words(cell, most=60),
        lambda cell: fields.phone(cell, region="US"),
        lambda cell: fields.date_of_birth(cell, today=TODAY),
        fields.zone,
        fields.language,
        fields.sex,
        fields.yes_or_no,
        fields.weekdays,
        fields.dayparts,
    ]
    for check in checks:
        with suppress(Refused):
            check(text)


@given(st.text())
def test_what_a_message_quotes_is_short_and_can_be_shown(text: str) -> None:
    quoted = fields.shown(text)

    assert quoted.isprintable()
    assert len(quoted) <= fields.LONGEST_SHOWN + 3


@pytest.mark.parametrize(
    ("cell", "code"), [("TX", "TX"), (" tx ", "TX"), ("Rhode Island", "RI"), ("", None)]
)
def test_a_state_is_read_by_its_code_or_name(cell: str, code: str | None) -> None:
    assert fields.state(cell, region="US") == code


def test_a_state_of_another_country_is_refused() -> None:
    with pytest.raises(Refused, match="no state of US"):
        fields.state("Bavaria", region="US")


@pytest.mark.parametrize(
    ("cell", "sex"),
    [("woman", Sex.FEMALE), ("F", Sex.FEMALE), ("Man", Sex.MALE), ("any", None), ("", None)],
)
def test_whom_they_would_rather_speak_with_is_read(cell: str, sex: Sex | None) -> None:
    assert fields.wished_caller(cell) is sex


def test_whom_nobody_can_be_is_refused() -> None:
    with pytest.raises(Refused, match="write woman or man"):
        fields.wished_caller("unknown")
