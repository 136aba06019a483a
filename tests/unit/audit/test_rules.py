"""What the chain over the audit trail hashes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from outreach.audit.rules import BEGINNING, Entry, digest

NUMBERS = st.none() | st.integers(1, 2**31 - 1)
WORDS = st.text(max_size=60)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ENTRIES = st.builds(
    Entry, st.integers(1, 2**31 - 1), INSTANTS, NUMBERS, NUMBERS, NUMBERS, WORDS, WORDS, NUMBERS
)
ENTRY = Entry(7, datetime(2026, 11, 23, 16, tzinfo=UTC), 3, 1, 9, "viewed a patient", "patient", 9)


@given(ENTRIES, ENTRIES)
def test_two_entries_have_one_digest_only_where_they_are_one(one: Entry, other: Entry) -> None:
    assert (digest(BEGINNING, one) == digest(BEGINNING, other)) == (one == other)


def test_every_field_counts() -> None:
    others = [
        replace(ENTRY, id=8),
        replace(ENTRY, at=ENTRY.at + timedelta(microseconds=1)),
        replace(ENTRY, actor_id=None),
        replace(ENTRY, clinic_id=2),
        replace(ENTRY, patient_id=None),
        replace(ENTRY, action="viewed a patient "),
        replace(ENTRY, object_kind=""),
        replace(ENTRY, object_id=10),
    ]
    assert len({digest(BEGINNING, each) for each in [ENTRY, *others]}) == 9
    assert digest("1" * 64, ENTRY) != digest(BEGINNING, ENTRY)


def test_an_instant_counts_and_not_the_zone_in_which_it_is_told() -> None:
    told_there = replace(ENTRY, at=ENTRY.at.astimezone(ZoneInfo("Pacific/Chatham")))

    assert digest(BEGINNING, told_there) == digest(BEGINNING, ENTRY)


def test_the_form_stays_as_it_is_or_kept_digests_prove_nothing() -> None:
    assert digest(BEGINNING, ENTRY) == (
        "85b9308afcf14f6bc972664de0c276d8bf3e074a1505f4ede9108721b90a9b46"
    )
