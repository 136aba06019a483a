"""Who is in the demo: two clinics, their staff, and 160 patients with a life each."""

import enum
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from outreach.accounts.rules import Role
from outreach.patients.hours import holidays_in
from outreach.patients.rules import ContactHours, Daypart, Sex, Wishes, age_on
from outreach.planning.rules import Calendar
from scripts.demo import names
from scripts.demo.words import TOPICS, Topic

SPANISH, ENGLISH = "es", "en"
_WELFARE_CHECK = (True, True, None, False)  # what was said to one, by number of the patient
REGION = "US"


@dataclass(frozen=True)
class DemoStaff:
    """Somebody who works at a clinic; ``site`` None works at every one.

    ``hours`` are the shifts of callers: (weekdays, begins, ends) on their own clock.
    """

    name: str
    role: Role
    site: "Site | None"
    languages: tuple[str, ...] = (ENGLISH,)
    gender: Sex | None = None
    hours: tuple[tuple[range, int, int], ...] = ()

    @property
    def email(self) -> str:
        """The address with which to sign in; first and last name, without accents."""
        plain = self.name.lower().translate(str.maketrans("áéíóúñ ", "aeioun."))
        return f"{plain}@demo.example"


@dataclass(frozen=True)
class Site:
    """One clinic. ``other_zones`` are where a few of its patients have moved to."""

    code: str
    name: str
    zone: str
    phone_number: str
    other_zones: tuple[str, ...]


CEDAR = Site(
    "CEDAR",
    "Cedar Creek Clinic",
    "America/Chicago",
    "+12025550100",
    ("America/New_York", "America/Denver", "America/Los_Angeles"),
)
MESA = Site(
    "MESA",
    "Mesa Verde Health",
    "America/Denver",
    "+15125550100",
    ("America/Phoenix", "America/Chicago", "America/Los_Angeles"),
)
SITES = (CEDAR, MESA)
BOTH = (ENGLISH, SPANISH)
ALL_DAY = ((range(5), 9, 12), (range(5), 13, 17))
EARLY = ((range(6), 9, 13),)
LATE = ((range(4), 12, 16), (range(4), 17, 20))

ANA = DemoStaff("Ana Morales", Role.CALLER, CEDAR, BOTH, Sex.FEMALE, ALL_DAY)
LUIS = DemoStaff("Luis Cárdenas", Role.CALLER, CEDAR, BOTH, Sex.MALE, LATE)
BETH = DemoStaff("Beth Nolan", Role.CALLER, CEDAR, (ENGLISH,), Sex.FEMALE, EARLY)
GRACE = DemoStaff("Grace Abara", Role.CALLER, CEDAR, (ENGLISH,), Sex.FEMALE, ALL_DAY)
NADIA = DemoStaff("Nadia Brooks", Role.NURSE, CEDAR)
MARK = DemoStaff("Mark Ellison", Role.MANAGER, CEDAR)
ADA = DemoStaff("Ada Stone", Role.ADMINISTRATOR, None)
STAFF = (
    ANA,
    LUIS,
    BETH,
    GRACE,
    NADIA,
    MARK,
    DemoStaff("Elena Vargas", Role.CALLER, MESA, BOTH, Sex.FEMALE, ALL_DAY),
    DemoStaff("Mateo Ríos", Role.CALLER, MESA, BOTH, Sex.MALE, ALL_DAY),
    DemoStaff("Joan Tallman", Role.CALLER, MESA, (ENGLISH,), Sex.FEMALE, EARLY),
    DemoStaff("Sam Whitaker", Role.CALLER, MESA, (ENGLISH,), None, LATE),
    DemoStaff("Tessa Lind", Role.NURSE, MESA),
    DemoStaff("Paul Okoro", Role.MANAGER, MESA),
    ADA,
)
CALLERS = tuple(person for person in STAFF if person.role is Role.CALLER)


class Part(enum.StrEnum):
    """What the queue of today shows of somebody, where that is arranged."""

    DONE = "done"
    WORRYING = "done two hours ago, with a low reading"
    TRIED = "tried this morning"
    BAD_NUMBER = "number to fix"
    AGREED = "agreed time"
    LAST_DAY = "last day"
    NOW = "now"
    LATER = "later"


class Fate(enum.StrEnum):
    """What becomes of an enrolment by today."""

    COMPLETED = "completed"
    ACTIVE = "active"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    UNREACHABLE = "unreachable"
    WAITING = "waiting for a caller"


@dataclass(frozen=True)
class Person:
    """One patient, and the chances that make up their history.

    ``choices`` is what they choose when asked; ``answers`` is how likely they pick up.
    ``caller`` is None for those who wait for one; ``stops_on`` is the day of a pause, a
    withdrawal or the note that they can't be reached. ``handed_over_on`` is when a caller
    before this one stopped. Days are local to the patient.
    """

    number: int
    site: Site
    fate: Fate
    language: str
    given_name: str
    family_name: str
    preferred_name: str | None
    sex: Sex
    date_of_birth: date
    zone: ZoneInfo
    wishes: Wishes
    is_voicemail_allowed: bool | None
    is_welfare_check_agreed: bool | None
    has_sms_consent: bool
    has_meter: bool
    answers: float
    choices: dict[str, int]
    topics: tuple[Topic, ...]
    fillings: dict[str, str]
    phones: tuple[str, ...]
    starts_on: date = date.min
    caller: DemoStaff | None = None
    earlier_caller: DemoStaff | None = None
    handed_over_on: date | None = None
    stops_on: date | None = None
    part: Part | None = None

    @property
    def called(self) -> str:
        """The name this person goes by."""
        return self.preferred_name or self.given_name

    @property
    def about(self) -> str:
        """What matters to them, as the record puts it; some of it only comes up on calls."""
        return " ".join(topic.about.format(**self.fillings) for topic in self.topics[:2])

    @property
    def calendar(self) -> Calendar:
        """Their days, in the hours that both clinics keep, but for public holidays."""
        return Calendar(
            self.zone, self.wishes, ContactHours(closed_on=closed_around(self.starts_on.year))
        )

    def local_day(self, instant: datetime) -> date:
        """Return the day that ``instant`` falls on where they live."""
        return instant.astimezone(self.zone).date()


@lru_cache
def closed_around(year: int) -> frozenset[date]:
    """Return the public holidays of the demo's clinics from a year before to two after."""
    years = tuple(range(max(year - 1, date.min.year), year + 3))
    return frozenset(holidays_in(REGION, None, years))


def chance(rng: Random, share: float) -> bool:
    """Return True in ``share`` of cases."""
    return rng.random() < share


def make_person(rng: Random, number: int, site: Site, fate: Fate, *, today: date) -> Person:
    """Return patient ``number`` of the demo, without dates and caller."""
    language = SPANISH if chance(rng, 0.35) else ENGLISH
    sex = Sex.FEMALE if chance(rng, 0.629) else Sex.MALE  # Source: domain.md A1.
    given = rng.choice((names.WOMEN if sex is Sex.FEMALE else names.MEN)[language])
    short = names.SHORT_FORMS.get(given)
    # Ages of the trial: 21 to 70, mean 49.5, SD 10.1. Source: domain.md A1.
    years = min(70, max(24, round(rng.gauss(49.5, 10.1))))
    born_on = today - timedelta(days=round(years * 365.25) + rng.randrange(1, 360))
    fitting = [topic for topic in TOPICS if topic.from_age <= age_on(today, born_on)]
    phones = _phones(number, has_second=chance(rng, 0.15))
    return Person(
        number=number,
        site=site,
        fate=fate,
        language=language,
        given_name=given,
        family_name=rng.choice(names.FAMILIES[language]),
        preferred_name=short if short and chance(rng, 0.6) else None,
        sex=sex,
        date_of_birth=born_on,
        zone=ZoneInfo(rng.choice(site.other_zones) if chance(rng, 0.07) else site.zone),
        wishes=make_wishes(rng),
        is_voicemail_allowed=rng.choices((True, False, None), (62, 23, 15))[0],
        is_welfare_check_agreed=_WELFARE_CHECK[number % len(_WELFARE_CHECK)],
        has_sms_consent=chance(rng, 0.74),
        has_meter=chance(rng, 0.62),
        answers=rng.betavariate(8, 8),
        choices={
            "weeks_2_to_4": rng.choices((1, 2, 3, 4, 5), (15, 35, 28, 12, 10))[0],
            "weeks_5_to_26": rng.choices((7, 14), (68, 32))[0],
        },
        topics=tuple(rng.sample(fitting, 3)),
        fillings={
            "kid": rng.choice(names.KIDS),
            "pet": rng.choice(names.PETS),
            "friend": rng.choice(names.FRIENDS),
        },
        phones=phones,
    )


def make_wishes(rng: Random) -> Wishes:
    """Return some patient's favourite days and parts of the day; often none."""
    days = frozenset() if chance(rng, 0.45) else frozenset(rng.sample(range(6), rng.choice((2, 3))))
    liked = rng.choices(
        (
            (),
            (Daypart.MORNING,),
            (Daypart.AFTERNOON,),
            (Daypart.EVENING,),
            (Daypart.AFTERNOON, Daypart.EVENING),
        ),
        (33, 20, 25, 12, 10),
    )[0]
    return Wishes(days, liked)


def _phones(number: int, *, has_second: bool) -> tuple[str, ...]:
    """Return numbers from the ranges that are kept for fiction, 555-0100 to 555-0199."""
    first = f"+1{'202' if number <= 80 else '512'}5550{100 + (number - 1) % 80 + 1}"  # noqa: PLR2004
    # What is left of both ranges, shared out: a second number is often a household's.
    second = f"+1{'512' if number % 2 else '202'}5550{182 + number % 18}"
    return (first, second) if has_second else (first,)


def unique_names(people: list[Person]) -> list[Person]:
    """Return ``people`` with nobody of the same full name twice."""
    taken: set[tuple[str, str]] = set()
    result = []
    for person in people:
        family = names.FAMILIES[person.language]
        at = family.index(person.family_name)
        while (person.given_name, family[at]) in taken:
            at = (at + 1) % len(family)
        taken.add((person.given_name, family[at]))
        result.append(replace(person, family_name=family[at]))
    return result
