"""What a request asks: dates as spans, codes, cursors; what makes no sense is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.access_keys.rules import Minute, end_of, prefix_of, written
from outreach.fhir.rules import NotUnderstood, asked
from outreach.fhir.rules.asked import KINDS, Cursor
from outreach.fhir.rules.dates import DateAsked, span_of
from outreach.measures.rules import MeasureKind
from tests.unit.fhir.test_resources import A_READING

ZONE = ZoneInfo("America/Chicago")
BEGIN = date(1990, 1, 1)
INSTANTS = st.integers(0, 110 * 365 * 86400 * 1_000_000).map(
    lambda part: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=part)
)
DAYS = st.dates(BEGIN, date(2100, 1, 1))


@given(day=DAYS, taken_at=INSTANTS, is_time_known=st.booleans(), unit=st.sampled_from((4, 7, 10)))
def test_of_a_date_what_is_before_in_or_after_it_is_one_of_them(
    day: date, taken_at: datetime, unit: int, *, is_time_known: bool
) -> None:
    span = span_of(replace(A_READING, taken_at=taken_at, is_time_known=is_time_known))
    text = day.isoformat()[:unit]
    met = {
        prefix: DateAsked.of(f"{prefix}{text}").is_met(span, ZONE)
        for prefix in ("lt", "eq", "gt", "le", "ge")
    }

    assert [met["lt"], met["eq"], met["gt"]].count(True) == 1  # a day lies in one month and year
    assert met["le"] == (met["lt"] or met["eq"])
    assert met["ge"] == (met["gt"] or met["eq"])
    there = taken_at.astimezone(ZONE).date().isoformat()[:unit]
    assert met["eq"] == (there == text)


def test_a_value_over_days_is_met_by_what_touches_them() -> None:
    span = span_of(replace(A_READING, begins_on=date(2026, 9, 21)))  # to October 4

    def is_met(text: str) -> bool:
        return DateAsked.of(text).is_met(span, ZONE)

    assert [is_met("2026-09"), is_met("2026"), is_met("lt2026-09-22")] == [False, True, True]
    assert [is_met("gt2026-10-03"), is_met("gt2026-10-04"), is_met("lt2026-09-21")] == [
        True,
        False,
        False,
    ]


@given(INSTANTS)
def test_a_moment_is_met_by_its_own_second_in_any_zone(at: datetime) -> None:
    span = span_of(replace(A_READING, taken_at=at))
    for written_at in (at, at.astimezone(ZONE)):
        text = written_at.isoformat(timespec="seconds")
        assert DateAsked.of(text).is_met(span, ZoneInfo("Asia/Tokyo"))


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    try:
        span = DateAsked.of(text).span(ZONE)
    except NotUnderstood:
        return
    assert span.begins < span.ends


@given(INSTANTS, st.integers(0, 9_999_999_999))
def test_a_cursor_comes_back_as_it_went(at: datetime, number: int) -> None:
    cursor = Cursor(at, number)
    assert Cursor.of(cursor.written()) == cursor


@pytest.mark.parametrize("text", ["", "1", "x.1", "1.-1", "1.1 ", "99999999999999999.1"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        Cursor.of(text)


@given(st.dictionaries(st.text(max_size=10), st.lists(st.text(max_size=5), max_size=3)))
def test_a_search_is_understood_whole_or_refused(sent: dict[str, list[str]]) -> None:
    try:
        found = asked.search(KINDS["Patient"], sent)
    except NotUnderstood:
        return
    assert set(sent) <= {"_id", "identifier", "_count", "_after", "_format"}
    assert 1 <= found.count <= 100


def test_both_pressures_are_read_where_one_is_wanted() -> None:
    both = {MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC}
    for code in ("8480-6", "85354-9", "http://loinc.org|8462-4"):
        assert asked.kinds_of(asked.codes(code)) == both
    assert asked.kinds_of(None) == set(MeasureKind)
    assert asked.kinds_of(asked.codes("urn:x|8480-6")) == set()


def test_a_key_is_known_by_its_beginning() -> None:
    key = written("0a1b2c3d", "x" * 43)
    assert prefix_of(key) == "outreach-0a1b2c3d"
    assert [prefix_of(each) for each in (key + "x", key[:-1], "", key.upper())] == [None] * 4


@given(INSTANTS)
def test_the_next_minute_has_begun_when_it_is_said_to(now: datetime) -> None:
    minute = Minute.of(now)
    later = now + timedelta(seconds=minute.seconds_left(now))
    assert Minute.of(later) == Minute(minute.began_at + timedelta(minutes=1))


def test_a_key_holds_through_the_day_on_which_clocks_change() -> None:
    assert end_of(date(2026, 11, 1), ZONE) == datetime(2026, 11, 2, 6, tzinfo=UTC)
    assert end_of(date(2026, 10, 31), ZONE) == datetime(2026, 11, 1, 5, tzinfo=UTC)
