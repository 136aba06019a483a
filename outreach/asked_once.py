"""What a page that only reads asks once, however many parts of it need to know.

A call screen is put together from parts that know nothing of each other, and several need the
patient's numbers or the clinic's hours. As long as a transaction can change nothing, the answer
can't change through it either. One that may write always asks again: what it read may be what
it has just changed.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.orm import Session, SessionTransaction

from outreach import orm

T = TypeVar("T")

_PLACE = "asked once"  # in a session's own notes


@dataclass
class _Answers:
    """What was answered within one transaction."""

    within: SessionTransaction | None
    by_question: dict[Hashable, Any] = field(default_factory=dict)


def answer(session: Session, question: Hashable, ask: Callable[[], T]) -> T:
    """Return what ``ask`` returns, asked once for each ``question`` while a transaction reads.

    Nobody may change what is returned: others get the same.
    """
    if not orm.is_reading():
        return ask()
    by_question = _answers(session)
    if question not in by_question:
        by_question[question] = ask()
    answered: T = by_question[question]
    return answered


def _answers(session: Session) -> dict[Hashable, Any]:
    """Return what was answered within the transaction that ``session`` is in, by question."""
    session.connection()  # begins a transaction, where there is none
    kept: _Answers | None = session.info.get(_PLACE)
    if kept is None or kept.within is not session.get_transaction():
        kept = session.info[_PLACE] = _Answers(session.get_transaction())
    return kept.by_question
