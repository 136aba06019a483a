"""When and how a patient wants to be reached, and when we may. Pure."""

import enum
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MONDAY_TO_SATURDAY = frozenset(range(6))


class Sex(enum.StrEnum):
    """As recorded by the clinic."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Daypart(enum.StrEnum):
    """A part of the day on the patient's wall clock, as [begins, ends).

    Source: domain.md E2.
    """

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    @property
    def begins(self) -> time:
        """The first minute that counts."""
        return _DAYPARTS[self][0]

    @property
    def ends(self) -> time:
        """The first minute that no longer counts."""
        return _DAYPARTS[self][1]


_DAYPARTS = {
    Daypart.MORNING: (time(9), time(12)),
    Daypart.AFTERNOON: (time(12), time(17)),
    Daypart.EVENING: (time(17), time(20)),
}


class NumberHealth(enum.StrEnum):
    """What we know of a phone number."""

    WORKING = "working"
    WRONG = "wrong"
    DISCONNECTED = "disconnected"


class Cause(enum.StrEnum):
    """Why a patient was anonymised."""

    SCHEDULE = "schedule"
    REQUEST = "request"


class Channel(enum.StrEnum):
    """What a consent is about. Texts and calls are separate consents."""

    CALL = "call"
    SMS = "sms"


class ConsentTopic(enum.StrEnum):
    """What a patient agreed to be called or texted about: each is asked for by itself."""

    CALLS = "calls"
    REMINDERS = "reminders"
    MISSED_NOTES = "missed-call notes"
    SURVEYS = "surveys"
    MEASUREMENTS = "measurements"


# The first of a channel is what a plain yes is about; a plain no is about all of them.
TOPICS: dict[Channel, tuple[ConsentTopic, ...]] = {
    Channel.CALL: (ConsentTopic.CALLS,),
    Channel.SMS: (
        ConsentTopic.REMINDERS,
        ConsentTopic.MISSED_NOTES,
        ConsentTopic.SURVEYS,
        ConsentTopic.MEASUREMENTS,
    ),
}


class ConsentSource(enum.StrEnum):
    """How a consent, or its withdrawal, reached us."""

    FORM = "form"
    CALL = "call"
    WEB = "web"
    SMS = "sms"
    IMPORT = "import"
    CARRIER = "carrier"


# A word from the telephone itself: a stop that the carrier or we were sent.
FROM_THE_NUMBER = frozenset({ConsentSource.SMS, ConsentSource.CARRIER})


def topics_stopped(
    events: Iterable[tuple[ConsentTopic, bool, ConsentSource]],
) -> frozenset[ConsentTopic]:
    """Return the topics that a stop sent from the number took away, and nothing else did.

    Events as of :func:`topics_held`, with how each reached us. A second stop changes nothing.
    """
    stopped, held = set[ConsentTopic](), set[ConsentTopic]()
    for topic, is_given, source in events:
        if is_given:
            held.add(topic)
            stopped.discard(topic)
        elif source not in FROM_THE_NUMBER:
            held.discard(topic)
            stopped.discard(topic)
        elif topic in held:
            held.discard(topic)
            stopped.add(topic)
    return frozenset(stopped)


def topics_held(events: Iterable[tuple[ConsentTopic, bool]]) -> frozenset[ConsentTopic]:
    """Return the topics that consent holds for after ``events``, the oldest first.

    An event is a topic and whether consent was given; the newest of a topic counts, and
    nothing on record means no.
    """
    return frozenset(topic for topic, is_given in dict(events).items() if is_given)


@dataclass(frozen=True)
class Wishes:
    """When a patient likes to be called; nothing named means no preference.

    ``weekdays``: 0 is Monday. Sunday only ever counts when it is named here.
    """

    weekdays: frozenset[int] = frozenset()
    dayparts: tuple[Daypart, ...] = ()

    @property
    def allowed_weekdays(self) -> frozenset[int]:
        """Days on which this patient may be called at all."""
        return MONDAY_TO_SATURDAY | self.weekdays


# Nobody is called outside these hours, agreed or not. Source: 47 CFR 64.1200(c)(1), adopted
# as a floor (domain.md D).
EARLIEST, LATEST = time(8), time(21)


@dataclass(frozen=True)
class Law:
    """Hours that the law of a place sets for some weekdays, from one day to another.

    ``opens`` and ``closes`` None: nobody may be called on those weekdays, whoever asked.
    """

    weekdays: frozenset[int]
    opens: time | None
    closes: time | None
    from_on: date
    until_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Say whether this law is about ``day``."""
        return (
            day.weekday() in self.weekdays
            and self.from_on <= day
            and (self.until_on is None or day < self.until_on)
        )


@dataclass(frozen=True)
class ContactHours:
    """Wall-clock hours in which a patient may be contacted, as [opens, closes).

    The clinic's hours, narrowed on each day by the ``laws`` of where the patient lives;
    nothing on a day that is closed. Sunday counts only where it is among ``weekdays``.
    """

    opens: time = time(9)
    closes: time = time(20)
    weekdays: frozenset[int] = field(default=MONDAY_TO_SATURDAY)
    closed_on: frozenset[date] = frozenset()
    laws: tuple[Law, ...] = ()

    def bounds_on(self, day: date) -> tuple[time, time] | None:
        """Return (opens, closes) of ``day``, or None where nobody may be contacted."""
        if day.weekday() not in self.weekdays or day in self.closed_on:
            return None
        opens, closes = self.opens, self.closes
        for law in self.laws:
            if not law.holds_on(day):
                continue
            if law.opens is None or law.closes is None:
                return None
            opens, closes = max(opens, law.opens), min(closes, law.closes)
        return (opens, closes) if opens < closes else None

    def is_barred_on(self, day: date) -> bool:
        """Say whether the law lets nobody be called on ``day``, whoever asked for it."""
        return any(law.opens is None and law.holds_on(day) for law in self.laws)

    def is_open_day(self, day: date) -> bool:
        """Say whether anybody may be contacted on ``day`` at all."""
        return self.bounds_on(day) is not None

    def by_day(self) -> "ContactHours":
        """Return hours that are open on the same days, and no others that are differ from them.

        Only days count in them, unless clinic and laws together may leave a day no time.
        """
        narrowing = [law for law in self.laws if law.opens and law.closes]
        opens = max([self.opens, *(law.opens for law in narrowing if law.opens)])
        closes = min([self.closes, *(law.closes for law in narrowing if law.closes)])
        if opens >= closes:
            return self
        barring = tuple(law for law in self.laws if law.opens is None or law.closes is None)
        return ContactHours(weekdays=self.weekdays, closed_on=self.closed_on, laws=barring)

    def wished(self, wishes: Wishes) -> "ContactHours":
        """Return these hours for a patient: Sunday with those who asked for it."""
        days = self.weekdays | wishes.weekdays
        return self if days == self.weekdays else replace(self, weekdays=days)


@dataclass(frozen=True)
class Slot:
    """A stretch of time as aware instants, [from_at, until_at)."""

    from_at: datetime
    until_at: datetime


def hours_on(day: date, zone: ZoneInfo, hours: ContactHours) -> Slot | None:
    """Return the lawful stretch of ``day`` in ``zone``, or None on a closed day."""
    bounds = hours.bounds_on(day)
    return _between(day, zone, *bounds) if bounds else None


def slot_on(day: date, zone: ZoneInfo, hours: ContactHours, daypart: Daypart | None) -> Slot | None:
    """Return ``daypart`` of ``day`` (None: the whole day) inside the lawful hours, if any."""
    bounds = hours.bounds_on(day)
    if bounds is None:
        return None
    opens, closes = bounds
    if daypart is not None:
        opens, closes = max(opens, daypart.begins), min(closes, daypart.ends)
    return _between(day, zone, opens, closes) if opens < closes else None


def is_allowed_at(now: datetime, zone: ZoneInfo, hours: ContactHours) -> bool:
    """Say whether a patient in ``zone`` may be contacted at ``now``."""
    return next_allowed_at(now, zone, hours) == now


def may_agree(at: datetime, zone: ZoneInfo, hours: ContactHours) -> bool:
    """Say whether a time that a patient asked for may be kept.

    Outside the usual hours it may; never at night, nor on a day that the law bars.
    """
    local = at.astimezone(zone)
    return EARLIEST <= local.time() < LATEST and not hours.is_barred_on(local.date())


def next_allowed_at(now: datetime, zone: ZoneInfo, hours: ContactHours) -> datetime:
    """Return the first instant, not before ``now``, at which contact is allowed.

    Args:
        now: aware instant.
        zone: where the *patient* lives, never the area code's.
        hours: lawful hours and days on the patient's wall clock.

    Returns:
        ``now`` itself while contact is allowed, else the next opening, aware, in UTC.

    Raises:
        ValueError: ``now`` is naive, or no day of the next year is open.

    Source: domain.md D, default window 9:00 to 20:00, Monday to Saturday, patient local.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    day = now.astimezone(zone).date()
    for ahead in range(366):
        slot = hours_on(day + timedelta(days=ahead), zone, hours)
        if slot and now < slot.until_at:
            return max(now, slot.from_at)
    raise ValueError("these hours never open")


def latest_allowed_at(before: datetime, zone: ZoneInfo, hours: ContactHours) -> datetime:
    """Return the last instant, not after ``before``, at which contact is allowed.

    Where ``before`` itself is outside the hours, an hour before the last closing: what
    would be due on a Sunday is due on Saturday evening.

    Raises:
        ValueError: ``before`` is naive, or no day of the year before is open.
    """
    if before.tzinfo is None:
        raise ValueError("before must be aware")
    day = before.astimezone(zone).date()
    for back in range(366):
        slot = hours_on(day - timedelta(days=back), zone, hours)
        if slot and before >= slot.from_at:
            return before if before < slot.until_at else slot.until_at - timedelta(hours=1)
    raise ValueError("these hours never open")


def daypart_of(instant: datetime, zone: ZoneInfo) -> Daypart:
    """Return the part of the patient's day that ``instant`` falls in, or is nearest to."""
    local = instant.astimezone(zone).time()
    for daypart in Daypart:
        if local < daypart.ends:
            return daypart
    return Daypart.EVENING


OLDEST_YEARS = 120


def age_on(day: date, date_of_birth: date) -> int:
    """Return whole years of age on ``day``."""
    had_birthday = (day.month, day.day) >= (date_of_birth.month, date_of_birth.day)
    return day.year - date_of_birth.year - (not had_birthday)


def may_be_alive(day: date, date_of_birth: date) -> bool:
    """Say whether somebody who was born then may be alive on ``day``."""
    return 0 <= age_on(day, date_of_birth) <= OLDEST_YEARS


@lru_cache(128)
def weekdays_from_mask(mask: int) -> frozenset[int]:
    """Return the weekdays of a stored bit mask; bit 0 is Monday."""
    return frozenset(day for day in range(7) if mask >> day & 1)


def mask_of_weekdays(weekdays: Iterable[int]) -> int:
    """Return the bit mask in which weekdays are stored; bit 0 is Monday."""
    return sum(1 << day for day in set(weekdays))


def _between(day: date, zone: ZoneInfo, opens: time, closes: time) -> Slot | None:
    """Return a stretch of ``day``, None where a change of the clocks leaves nothing of it.

    Where the clocks skip a time, or show it twice, the later reading opens and the earlier
    one closes: every instant between them shows a time within the hours.
    """
    from_at, until_at = max(_readings(day, opens, zone)), min(_readings(day, closes, zone))
    return Slot(from_at, until_at) if from_at < until_at else None


def _readings(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants that ``at`` can mean: two where clocks change, else the same twice."""
    local = datetime.combine(day, at, tzinfo=zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


@lru_cache(64)
def states_of(region: str) -> Mapping[str, str]:
    """Return the states of a country by their code (ISO 3166-2 without it), with their names."""
    import holidays  # noqa: PLC0415 - as in ``hours``

    try:
        known = holidays.country_holidays(region)
    except NotImplementedError:
        return {}
    names = known.get_subdivision_aliases()
    return {code: names.get(code, [code])[0] for code in known.subdivisions}


def name_key(family: str, given: str) -> tuple[str, ...]:
    """Return what patients are sorted by: letters without accents, then as they are written."""
    return (_plain(family), _plain(given), family, given)


def record_key(record_number: str) -> tuple[str, ...]:
    """Return what record numbers are sorted by."""
    return (_plain(record_number), record_number)


def _plain(text: str) -> str:
    if text.isascii():  # most names, by far; the long way round says the same
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in decomposed if not unicodedata.combining(each))
