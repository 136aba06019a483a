"""Permissions for licensed questionnaires: stated, withdrawn, and the wording that they give."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from outreach.audit import trail
from outreach.built_once import built_once
from outreach.errors import NotFound, RuleBroken
from outreach.questionnaires.models import InstrumentPermission
from outreach.questionnaires.rules import INSTRUMENTS, Instrument, InstrumentCode
from outreach.sent_again import said_before


class NoSuchInstrument(NotFound):
    """No licensed questionnaire of ours has that code."""


class WordingIncomplete(RuleBroken):
    """Every item needs its text, every answer its words or none of them."""


@dataclass(frozen=True)
class Permission:
    """What an administrator states: who permits the use, since when, in which words.

    ``items`` are the texts of the items in order; ``answer_words`` those of the answers from
    low to high, or nothing where the answers are plain numbers.
    """

    granted_by: str
    granted_on: date
    wording: str
    introduction: str
    items: tuple[str, ...]
    answer_words: tuple[str, ...] = ()


def licensed(code: str) -> Instrument:
    """Return the licensed questionnaire with ``code``, without wording."""
    found = next((each for each in INSTRUMENTS.values() if each.code.value == code), None)
    if found is None or not found.is_licensed:
        raise NoSuchInstrument("There is no such licensed questionnaire.")
    return found


def newest(session: Session) -> Mapping[InstrumentCode, InstrumentPermission]:
    """Return the newest row of each questionnaire: a permission, or its withdrawal."""
    return {row.code: row for row in session.scalars(*_newest())}


@built_once
def _newest() -> Select[InstrumentPermission]:
    last = select(func.max(InstrumentPermission.id)).group_by(InstrumentPermission.code)
    return (
        select(InstrumentPermission)
        .options(joinedload(InstrumentPermission.by))
        .where(InstrumentPermission.id.in_(last))
    )


def history(session: Session, code: InstrumentCode) -> Sequence[InstrumentPermission]:
    """Return what was stated and withdrawn, newest first."""
    return session.scalars(
        select(InstrumentPermission)
        .options(joinedload(InstrumentPermission.by))
        .where(InstrumentPermission.code == code)
        .order_by(InstrumentPermission.id.desc())
    ).all()


def stated(session: Session, codes: Collection[InstrumentCode]) -> Sequence[InstrumentPermission]:
    """Return what was stated and withdrawn of some questionnaires, in order."""
    return session.scalars(
        select(InstrumentPermission)
        .where(InstrumentPermission.code.in_(sorted(codes)))
        .order_by(InstrumentPermission.id)
    ).all()


def worded_at(
    instrument: Instrument, rows: Sequence[InstrumentPermission], *, at: datetime
) -> Instrument:
    """Return a questionnaire in the words that it had at a time; ``rows`` as `stated` has them.

    Of a licensed one whose permission was withdrawn the words are shown no more.
    """
    of_it = [row for row in rows if row.code is instrument.code]
    if not of_it or not of_it[-1].is_given:
        return instrument
    then = [row for row in of_it if row.is_given and row.at <= at]
    return worded(instrument, then[-1] if then else of_it[-1])


def askable(session: Session) -> dict[InstrumentCode, Instrument]:
    """Return what patients may be asked now, licensed questionnaires with their wording."""
    return {code: each for code, each in _usable(session).items() if not each.is_for_staff}


def for_staff(session: Session, code: InstrumentCode) -> Instrument | None:
    """Return a questionnaire that people answer about themselves, where it is permitted."""
    found = _usable(session).get(code)
    return found if found is not None and found.is_for_staff else None


def _usable(session: Session) -> dict[InstrumentCode, Instrument]:
    stated = newest(session)
    found = {}
    for code, instrument in INSTRUMENTS.items():
        row = stated.get(code)
        if not instrument.is_licensed:
            found[code] = instrument
        elif row is not None and row.is_given:
            found[code] = worded(instrument, row)
    return found


def worded(instrument: Instrument, row: InstrumentPermission) -> Instrument:
    """Return a licensed questionnaire with the wording that a permission gave."""
    items = tuple(
        replace(item, text=text) for item, text in zip(instrument.items, row.items, strict=True)
    )
    return replace(
        instrument,
        items=items,
        introduction=row.introduction,
        answer_words=tuple(row.answer_words),
    )


def state(
    session: Session,
    instrument: Instrument,
    permission: Permission,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Keep a permission with its wording; from now on it may be asked. Does not commit.

    Raises:
        WordingIncomplete: not one text for each item, or not words for each answer.
    """
    low, high = instrument.answers
    is_worded = len(permission.answer_words) in {0, high - low + 1}
    if len(permission.items) != len(instrument.items) or not is_worded:
        raise WordingIncomplete("Give one line for each item, and one for each answer.")
    row = InstrumentPermission(
        code=instrument.code,
        is_given=True,
        granted_by=permission.granted_by,
        granted_on=permission.granted_on,
        wording=permission.wording,
        introduction=permission.introduction,
        items=list(permission.items),
        answer_words=list(permission.answer_words),
        at=now,
        by_staff_id=by_staff_id,
    )
    _keep(session, "stated a permission", row)


def withdraw(
    session: Session, instrument: Instrument, reason: str, *, by_staff_id: int, now: datetime
) -> None:
    """Note that a permission is no more; nobody asks it from now on. Does not commit."""
    row = InstrumentPermission(
        code=instrument.code,
        is_given=False,
        granted_by="",
        granted_on=None,
        wording=reason,
        introduction="",
        items=[],
        answer_words=[],
        at=now,
        by_staff_id=by_staff_id,
    )
    _keep(session, "withdrew a permission", row)


def _keep(session: Session, action: str, row: InstrumentPermission) -> None:
    if said_before(session, row) is not None:
        return
    session.add(row)
    session.flush()
    about = ("instrument permission", row.id)
    trail.record(session, action, actor_id=row.by_staff_id, now=row.at, about=about)
