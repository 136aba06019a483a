"""When Save was pressed, by what a page says of how long it waited."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from outreach import sealing
from outreach.calls.rules import LONGEST_WAIT
from outreach.calls.sent import hash_of, pressed_at
from tests.conftest import KEYS

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
SINCE = st.none() | st.timedeltas(-timedelta(days=2), timedelta(hours=1)).map(NOW.__add__)


@given(st.text() | st.integers().map(str), SINCE)
def test_whatever_a_page_says_a_call_ends_between_its_beginning_and_now(
    waited: str, since: datetime | None
) -> None:
    at = pressed_at(MultiDict({"waited": waited}), since=since, now=NOW)

    assert NOW - LONGEST_WAIT <= at <= NOW
    assert since is None or at >= min(since, NOW)


@given(st.integers(0, 3600))
def test_seconds_of_waiting_are_taken_off(seconds: int) -> None:
    form = MultiDict({"waited": str(seconds)})

    assert pressed_at(form, since=None, now=NOW) == NOW - timedelta(seconds=seconds)


def test_the_fingerprint_of_what_was_typed_is_known_by_the_key_alone() -> None:
    """Whoever has the database and no key can't try short notes until one fits."""
    form = MultiDict({"note": "Her dog died.", "csrf_token": "one"})
    sent_again = MultiDict({"note": "Her dog died.", "csrf_token": "two"})
    changed = MultiDict({"note": "Her cat died.", "csrf_token": "one"})
    found = [hash_of(each) for each in (form, sent_again, changed)]

    sealing.use([("another", b"k" * 32)])
    try:
        elsewhere = hash_of(form)
    finally:
        sealing.use(KEYS)

    assert found[0] == found[1]
    assert len({*found, elsewhere}) == 3
