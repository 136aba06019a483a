"""The words of texts: what counts now, what counted before, and changing them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import ROOT
from outreach.accounts.models import Clinic, StaffMember
from outreach.errors import RuleBroken
from outreach.orm import insert_new
from outreach.wordings.models import Wording
from outreach.wordings.rules import KINDS, LANGUAGES, UNASKED, TextName, known_language
from outreach.wordings.rules.linting import Finding, faults

FOLDER = ROOT / "templates" / "sms"
Key = tuple[int, TextName, str]


class Words(NamedTuple):
    """What a text says, and which version that is; ``wording_id`` None: as built in."""

    body: str
    wording_id: int | None
    number: int


class Version(NamedTuple):
    """One version of the words of a text, and who wrote it."""

    wording: Wording
    by: str


class Unfit(RuleBroken):
    """The words can't be used. ``findings`` says why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("These words can't be used.")
        self.findings = findings


class WrittenMeanwhile(RuleBroken):
    """Somebody else changed these words after they were looked at."""


class Book:
    """The words that count, of some clinics, for one run."""

    def __init__(self, own: dict[Key, Words]) -> None:
        self._own = own

    def of(self, clinic_id: int, name: TextName, language: str) -> Words:
        """Return what a text of a clinic says to somebody who speaks ``language``."""
        ours = known_language(language)
        return self._own.get((clinic_id, name, ours)) or Words(built_in(name, ours), None, 0)


def book_of(session: Session, *, clinic_ids: Iterable[int] | None = None) -> Book:
    """Return the words of ``clinic_ids``, or of every clinic. One statement."""
    newest = select(func.max(Wording.id)).group_by(
        Wording.clinic_id, Wording.name, Wording.language
    )
    if clinic_ids is not None:
        newest = newest.where(Wording.clinic_id.in_(sorted(clinic_ids)))
    rows = session.scalars(select(Wording).where(Wording.id.in_(newest)))
    return Book(
        {
            (each.clinic_id, each.name, each.language): Words(each.body, each.id, each.number)
            for each in rows
        }
    )


def ever_unasked(session: Session) -> list[str]:
    """Return all words that texts which nobody asked for had in any clinic. One statement."""
    own = session.scalars(select(Wording.body).where(Wording.name.in_(UNASKED)).distinct())
    return [
        *own,
        *_built_in_before(),
        *(built_in(name, each) for name in UNASKED for each in LANGUAGES),
    ]


def history(session: Session, clinic_id: int, name: TextName, language: str) -> list[Version]:
    """Return the versions a clinic wrote of a text, newest first. One statement."""
    rows = session.execute(
        select(Wording, StaffMember.name)
        .join(StaffMember, StaffMember.id == Wording.by_staff_id)
        .where(Wording.clinic_id == clinic_id, Wording.name == name, Wording.language == language)
        .order_by(Wording.number.desc())
    )
    return [Version(wording, by) for wording, by in rows]


def write(
    session: Session,
    clinic: Clinic,
    key: tuple[TextName, str],
    body: str,
    *,
    seen_number: int,
    hosts: Collection[str],
    by_staff_id: int,
    now: datetime,
) -> int:
    """Let a text say ``body`` from now on; return the number of the version. Does not commit.

    Args:
        key: which text, in which language.
        seen_number: the version that the writer had before them.
        hosts: names of hosts that links may lead to.

    Raises:
        Unfit: the words can't be used.
        WrittenMeanwhile: somebody else wrote a version after ``seen_number``.
    """
    name, language = key
    found = faults(body, KINDS[name], hosts=hosts)
    if found:
        raise Unfit(found)
    current = book_of(session, clinic_ids=[clinic.id]).of(clinic.id, name, language)
    if current.body == body:
        return current.number
    row = {
        "clinic_id": clinic.id,
        "name": name,
        "language": language,
        "number": seen_number + 1,
        "body": body,
        "by_staff_id": by_staff_id,
        "created_at": now,
    }
    if current.number != seen_number or not insert_new(session, Wording, [row]):
        raise WrittenMeanwhile("Somebody else changed these words.")
    return seen_number + 1


@cache
def built_in(name: str, language: str) -> str:
    """Return the words of a text as they come with the product, in one of our languages.

    Whoever changes those of a text that nobody asked for keeps the old ones in ``before``.
    """
    return (FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8").strip()


@cache
def _built_in_before() -> tuple[str, ...]:
    """Return the words that came with the product until others did: texts had them too."""
    files = sorted((FOLDER / "before").glob("*.txt"))
    return tuple(each.read_text(encoding="utf-8").strip() for each in files)
