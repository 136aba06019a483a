"""What a nurse is told of before a page is saved: nothing urgent waits for the rest of it.

The page may be refused for another reason, and be left so. What is told has no reading yet: that
joins it when the page is saved, and nobody is alerted twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach import sealing
from outreach.built_once import built_once
from outreach.concerns import raising
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.raising import SAME_CALL, Raised
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Trigger, Urgency
from outreach.patients.models import Patient

_ON_CALL = "told:"  # how the form key of what was told before a call was saved begins
_LONGEST_KEY = 40
_WITHOUT = {
    ConcernKind.GLUCOSE_LOW: "Saved without a low blood sugar.",
    ConcernKind.GLUCOSE_HIGH: "Saved without a high blood sugar.",
    ConcernKind.PRESSURE_HIGH: "Saved without a high blood pressure.",
    ConcernKind.SAFETY: "Saved without danger signs.",
}


@dataclass(frozen=True)
class Page:
    """The page that something urgent stands on, and whose it is.

    ``begins``: how the keys of what it tells begin, by which it finds it again. ``since``: when
    its person last saved what they did with this patient, if they did.
    """

    begins: str
    form_key: str
    by_staff_id: int
    since: datetime | None = None


def page_of_call(form_key: str, *, by_staff_id: int, since: datetime | None) -> Page:
    """Return the page of a call: whatever its form is called by now, its caller's last one."""
    return Page(_ON_CALL, form_key, by_staff_id, since)


def page_of_readings(form_key: str, *, by_staff_id: int) -> Page:
    """Return a page on which readings are entered outside a call: each is by itself."""
    return Page(f"page:{_digest(form_key)[:12]}:", form_key, by_staff_id)


@dataclass(frozen=True)
class Urgent:
    """Something on a page that a nurse must hear of now, in the words that they read first."""

    kind: ConcernKind
    words: str


def tell(
    session: Session, patient: Patient, found: Sequence[Urgent], page: Page, *, now: datetime
) -> list[Concern]:
    """Tell a nurse of what is urgent on a page that isn't saved; one concern of a kind. No commit.

    The same page sent again tells nobody twice; another value on it is added as words. Returns
    the concerns that were raised.
    """
    known = {each.kind: each for each in told(session, patient.id, page, now=now)}
    raised, by_staff_id = [], page.by_staff_id
    for kind in dict.fromkeys(each.kind for each in found):
        words = "\n".join(each.words for each in found if each.kind is kind)
        if kind in known:
            raising.add_unsaid(session, known[kind], words, by_staff_id=by_staff_id, now=now)
            continue
        digest = _digest(patient.id, page.form_key, kind.value, words, now.date().isoformat())
        key = (page.begins + digest)[:_LONGEST_KEY]
        new = Raised(Trigger(kind, Urgency.NOW), words, form_key=key)
        raised.append(
            raising.raise_concern(session, patient, new, by_staff_id=by_staff_id, now=now)
        )
    return raised


def told(session: Session, patient_id: int, page: Page, *, now: datetime) -> list[Concern]:
    """Return what `tell` raised and no saved reading has joined, oldest first, held until the end.

    Nothing that a nurse has closed.
    """
    return list(session.scalars(*_told_held(*_asked(patient_id, page, now=now))))


def kinds_told(
    session: Session, patient_id: int, page: Page, *, now: datetime
) -> frozenset[ConcernKind]:
    """Return the kinds of what `told` returns, to say so on the page; nothing is held."""
    return frozenset(session.scalars(*_kinds_told(*_asked(patient_id, page, now=now))))


def _asked(patient_id: int, page: Page, *, now: datetime) -> tuple[int, str, datetime, int]:
    since = max(now - SAME_CALL, page.since or now - SAME_CALL)
    return patient_id, page.begins, since, page.by_staff_id


@built_once
def _told_held(patient_id: Any, begins: Any, since: Any, by_staff_id: Any) -> Select[Concern]:
    found = _told(patient_id, begins, since, by_staff_id)
    return found.order_by(Concern.id).with_for_update(of=Concern)


@built_once
def _kinds_told(patient_id: Any, begins: Any, since: Any, by_staff_id: Any) -> Select[ConcernKind]:
    return _told(patient_id, begins, since, by_staff_id).with_only_columns(Concern.kind)


def _told(patient_id: Any, begins: Any, since: Any, by_staff_id: Any) -> Select[Concern]:
    return (
        select(Concern)
        .join(ConcernStep, ConcernStep.concern_id == Concern.id)
        .where(
            Concern.patient_id == patient_id,
            Concern.form_key.startswith(begins),
            Concern.reading_id.is_(None),
            Concern.status != ConcernStatus.CLOSED,
            Concern.raised_at > since,
            ConcernStep.kind == StepKind.RAISED,
            ConcernStep.by_staff_id == by_staff_id,
        )
    )


def note_unjoined(
    session: Session, concerns: Sequence[Concern], *, by_staff_id: int, now: datetime
) -> None:
    """Add to what was told that the page was saved without it: a nurse decides. No commit."""
    for each in concerns:
        if each.reading_id is None:
            words = _WITHOUT[each.kind]
            raising.add_unsaid(session, each, words, by_staff_id=by_staff_id, now=now)


def _digest(*about: object) -> str:
    """Return by what the same words are known again: keyed, as few words are soon guessed."""
    return sealing.keyed_hash(repr(about), place="concern.form_key")
