"""Taking away who somebody is: other names, shifted days, bands, no small cells. Pure.

Sources: HIPAA Safe Harbor, 45 CFR 164.514(b)(2), for what is left out (names, record and
telephone numbers, places below a state, ages over 89); its rule on dates is not met by shifted
days, which need an expert's determination (164.514(b)(1)) or a data use agreement. Cells under
11: CMS cell size suppression policy.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

SMALLEST_CELL = 11
OLDEST = 89
FARTHEST_SHIFT = 182  # days, either way
MOST_WITHHELD = 60  # days
MOST_HIDDEN = 0.1  # of all patients
HIDDEN = "hidden"
HIDDEN_ALL = (HIDDEN,) * 4
_COMMON = frozenset({"en", "es"})

Identifiers = tuple[str, ...]  # site, age band, sex, language


@dataclass(frozen=True)
class Person:
    """What identifies a patient together with other things: nobody's name."""

    site: str
    age: int
    sex: str
    language: str


@dataclass(frozen=True)
class Coarsened:
    """What is told of each person, in the order asked; ``step`` is how much was taken away.

    ``smallest`` are the smallest cells found at the steps that were tried; ``hidden`` counts
    those of whom nothing of this is told.
    """

    told: tuple[Identifiers, ...]
    step: str
    smallest: Mapping[str, int]
    hidden: int


def other_name(key: bytes, patient_id: int) -> str:
    """Return what a patient is called in the data: always the same under one key."""
    return _digest(key, "name", patient_id).hex()[:12]


def shift_of(key: bytes, patient_id: int) -> timedelta:
    """Return by how much all days of a patient are moved: never by nothing, always the same."""
    number = int.from_bytes(_digest(key, "days", patient_id)[:8], "big") % (2 * FARTHEST_SHIFT)
    days = number - FARTHEST_SHIFT
    return timedelta(days=days if days < 0 else days + 1)


def shifted(day: date | None, shift: timedelta) -> date | None:
    """Return a day as it is told."""
    return day + shift if day is not None else None


def withheld(key: bytes, patient_id: int) -> timedelta:
    """Return of how many last days before the file nothing measured is told, 1 to MOST_WITHHELD.

    Somebody in the programme was measured days ago: from the last day told, and the day of the
    file, anybody could reckon by how much the days were moved.
    """
    number = int.from_bytes(_digest(key, "end", patient_id)[:8], "big")
    return timedelta(days=1 + number % MOST_WITHHELD)


def told_statuses(statuses: Sequence[str], *, smallest: int = SMALLEST_CELL) -> tuple[str, ...]:
    """Return where each enrolment stands, hidden where few stand there: one death is a name."""
    small = _to_hide(Counter((status,) for status in statuses), smallest)
    return tuple(HIDDEN if (status,) in small else status for status in statuses)


def visible_bounds(
    values: Sequence[tuple[Decimal, Decimal]], *, smallest: int = SMALLEST_CELL
) -> tuple[Decimal, Decimal] | None:
    """Return between which values a body's measure may be told as it is.

    Height and weight are seen by everybody: beyond each bound lie at least ``smallest``
    patients, it included, and all of them are told as the bound.

    Args:
        values: the least and the greatest of each patient.
        smallest: how many patients hide each other.

    Returns:
        None where so few were measured that nothing may be told.
    """
    if len(values) < 2 * smallest:
        return None
    least = sorted(low for low, _high in values)[smallest - 1]
    most = sorted((high for _low, high in values), reverse=True)[smallest - 1]
    return (least, most) if least <= most else None


def told_age(age: int) -> str:
    """Return an age as it may be told: in years, '90+' from 90 on."""
    return str(age) if age <= OLDEST else f"{OLDEST + 1}+"


def band(age: int, years: int) -> str:
    """Return the band of ``years`` that an age lies in: '40-49'; all from 90 on are '90+'."""
    if age > OLDEST:
        return told_age(age)
    begins = age // years * years
    return f"{begins}-{min(begins + years - 1, OLDEST)}"


def _fine(person: Person) -> Identifiers:
    return person.site, band(person.age, 10), person.sex, person.language


def _common_languages(person: Person) -> Identifiers:
    language = person.language if person.language in _COMMON else "other"
    return person.site, band(person.age, 10), person.sex, language


def _wide_ages(person: Person) -> Identifiers:
    site, _age, sex, language = _common_languages(person)
    wide = "under 40" if person.age < 40 else "40-64" if person.age < 65 else "65+"  # noqa: PLR2004
    return site, wide, sex, language


def _one_site(person: Person) -> Identifiers:
    return HIDDEN, *_wide_ages(person)[1:]


def _age_and_sex(person: Person) -> Identifiers:
    return HIDDEN, *_wide_ages(person)[1:3], HIDDEN


def _two_ages_and_sex(person: Person) -> Identifiers:
    return HIDDEN, "under 65" if person.age < 65 else "65+", person.sex, HIDDEN  # noqa: PLR2004


def _sex_alone(person: Person) -> Identifiers:
    return HIDDEN, HIDDEN, person.sex, HIDDEN


def _nothing(_person: Person) -> Identifiers:
    return HIDDEN_ALL


STEPS: Mapping[str, Callable[[Person], Identifiers]] = {
    "site, ages by 10 years, sex, language": _fine,
    "rare languages together": _common_languages,
    "three bands of age": _wide_ages,
    "no site": _one_site,
    "age and sex alone": _age_and_sex,
    "two bands of age, and sex": _two_ages_and_sex,
    "sex alone": _sex_alone,
    "nothing of it": _nothing,
}


def coarsen(people: Sequence[Person], *, smallest: int = SMALLEST_CELL) -> Coarsened | None:
    """Return what may be told of ``people`` so that nobody stands in a cell under ``smallest``.

    The first step that does it is taken. Of those in cells that stay small nothing is told,
    where they are few (MOST_HIDDEN); where they are too few to hide among each other, the next
    smallest cell hides with them. None: there are fewer people than a cell needs, and nothing
    may leave.
    """
    if len(people) < smallest:
        return None
    found: dict[str, int] = {}
    for step, tell in STEPS.items():
        told = [tell(person) for person in people]
        sizes = Counter(told)
        found[step] = min(sizes.values())
        small = _to_hide(sizes, smallest)
        hidden = sum(sizes[cell] for cell in small)
        if hidden > MOST_HIDDEN * len(people):
            continue
        kept = tuple(HIDDEN_ALL if cell in small else cell for cell in told)
        return Coarsened(kept, step, found, hidden)
    return None


def _to_hide(sizes: Mapping[Identifiers, int], smallest: int) -> frozenset[Identifiers]:
    """Return the cells to tell nothing of: the small ones, and others until they are enough."""
    hidden: list[Identifiers] = []
    together = 0
    for cell, size in sorted(sizes.items(), key=lambda each: (each[1], each[0])):
        if size >= smallest and (not hidden or together >= smallest):
            break
        hidden.append(cell)
        together += size
    return frozenset(hidden)


def _digest(key: bytes, purpose: str, patient_id: int) -> bytes:
    return hmac.new(key, f"research {purpose} {patient_id}".encode(), hashlib.sha256).digest()
