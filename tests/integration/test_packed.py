"""Rows of whole numbers as one text: what NumPy reads of it is what stands in the rows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import case, select

from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.reports.rules.columns import columns_of
from outreach.sql import epoch_microseconds, packed, thousandths
from tests.builders import make_clinic, make_patient, make_reading

AN_INSTANT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
MEASURED = [
    (AN_INSTANT, "9.8"),
    (AN_INSTANT.replace(microsecond=999_999), "0.001"),
    (AN_INSTANT.replace(microsecond=1), "123456.789"),
    (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "0"),
]
NUMBERS = (
    Reading.id,
    epoch_microseconds(Reading.taken_at),
    thousandths(Reading.value),
    case({MeasureKind.WEIGHT: 7}, value=Reading.kind, else_=0),
)


def read(sessions: Sessions) -> Sequence[tuple[int, ...]]:
    with sessions() as session:
        found = session.scalar(select(packed(*NUMBERS)))
    columns = columns_of(found, len(NUMBERS))
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_every_number_arrives_as_it_was_kept(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), phone=None)
        for taken_at, value in MEASURED:
            make_reading(session, patient, MeasureKind.WEIGHT, value, taken_at=taken_at)

    found = read(sessions)

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected = [
        ((taken_at - epoch).days * 86_400_000_000 + (taken_at - epoch).seconds * 1_000_000
         + (taken_at - epoch).microseconds, int(Decimal(value) * 1000), 7)
        for taken_at, value in MEASURED
    ]  # fmt: skip
    assert [row[1:] for row in found] == expected


@pytest.mark.parametrize("width", [1, 4])
def test_no_rows_are_columns_without_a_row(width: int) -> None:
    assert [column.tolist() for column in columns_of(None, width)] == [[]] * width


def test_no_row_is_found_where_nothing_was_measured(sessions: Sessions) -> None:
    assert read(sessions) == []
