"""Times that are offered: lawful, while the caller works, and nobody else's."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.rules.slots import LENGTH, OFFERED, is_free, offers
from outreach.patients.rules import ContactHours, Daypart, Slot, Wishes, slot_on
from outreach.planning.rules import Calendar

ZONES = ["America/Chicago", "America/New_York", "Pacific/Honolulu", "America/Sao_Paulo"]
MONDAY = date(2026, 11, 23)


def shifts(begins: int, ends: int, zone: str = "America/Chicago") -> list[Slot]:
    days = [MONDAY + timedelta(days=ahead) for ahead in range(-1, 10)]
    return [
        Slot(
            datetime.combine(day, time(begins), tzinfo=ZoneInfo(zone)),
            datetime.combine(day, time(ends), tzinfo=ZoneInfo(zone)),
        )
        for day in days
        if day.weekday() < 5
    ]


def calendar(zone: str = "America/Chicago", wishes: Wishes | None = None) -> Calendar:
    return Calendar(ZoneInfo(zone), wishes or Wishes(), ContactHours())


@given(
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.integers(0, 12),
    st.integers(13, 23),
    st.integers(0, 6 * 24 * 60),
    st.sets(st.sampled_from(list(Daypart))),
    st.sets(st.integers(0, 6)),
    st.sampled_from([MONDAY, date(2027, 3, 10), date(2026, 10, 29)]),
)
def test_every_offer_is_lawful_worked_and_free(
    where: str,
    works: str,
    begins: int,
    ends: int,
    minutes: int,
    parts: set[Daypart],
    weekdays: set[int],
    first: date,
) -> None:
    own = calendar(where, Wishes(frozenset(weekdays), tuple(parts)))
    now = datetime.combine(first, time(), tzinfo=UTC) + timedelta(minutes=minutes)
    worked = [
        Slot(each.from_at + (first - MONDAY), each.until_at + (first - MONDAY))
        for each in shifts(begins, ends, works)
    ]
    taken = [Slot(now + timedelta(hours=2), now + timedelta(hours=20))]
    days = (first, first + timedelta(days=8))

    found = offers(own, days, worked, taken, not_before=now)

    assert len(found) <= OFFERED
    assert found == sorted(found, key=lambda each: each.from_at)
    assert len(set(found)) == len(found)
    for slot in found:
        day = slot.from_at.astimezone(own.zone).date()
        lawful = slot_on(day, own.zone, own.lawful(), None)
        assert lawful is not None
        assert lawful.from_at <= slot.from_at < slot.until_at <= lawful.until_at
        assert slot.until_at - slot.from_at == LENGTH
        assert slot.from_at >= now
        assert any(w.from_at <= slot.from_at and slot.until_at <= w.until_at for w in worked)
        assert not any(t.from_at < slot.until_at and slot.from_at < t.until_at for t in taken)
        assert slot.from_at == now or is_free(slot, own, worked, taken, now=now)


def test_liked_times_come_first() -> None:
    own = calendar(wishes=Wishes(frozenset({3}), (Daypart.AFTERNOON,)))
    now = datetime(2026, 11, 23, 15, tzinfo=UTC)
    found = offers(own, (MONDAY, MONDAY + timedelta(days=6)), shifts(9, 17), [], not_before=now)
    assert datetime(2026, 11, 26, 18, tzinfo=UTC) in [each.from_at for each in found]


def test_no_shifts_no_offers() -> None:
    now = datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert offers(calendar(), (MONDAY, MONDAY), [], [], not_before=now) == []


def test_an_offer_is_gone_once_its_time_has_come() -> None:
    now = datetime(2026, 11, 23, 15, tzinfo=UTC)
    days = (MONDAY, MONDAY + timedelta(days=6))
    first = offers(calendar(), days, shifts(9, 17), [], not_before=now + LENGTH)[0]
    assert is_free(first, calendar(), shifts(9, 17), [], now=now)
    assert not is_free(first, calendar(), shifts(9, 17), [], now=first.from_at)
    assert not is_free(first, calendar(), shifts(9, 17), [first], now=now)
    assert not is_free(first, calendar(), [], [], now=now)
