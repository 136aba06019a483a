"""What is being typed about a call, kept on the server."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Delete, Select, and_, delete, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from outreach import absent
from outreach.accounts.rules import Actor
from outreach.built_once import built_once
from outreach.calls.models import Draft, DraftAside
from outreach.errors import RuleBroken, Stale
from outreach.orm import insert_new
from outreach.planning.models import PlannedCall

# More than anybody types in one call, less than would hurt to store.
MOST_FIELDS = 60
MOST_CHARACTERS = 20_000


class SavedElsewhere(Stale):
    """Another tab saved this draft meanwhile; its text is kept, and so is this tab's, aside.

    ``version`` and ``answers`` are what the draft holds, to be shown beside this tab's.
    """

    def __init__(self, version: int, answers: Mapping[str, Any]) -> None:
        super().__init__("This call is open in another tab as well.")
        self.version = version
        self.answers = answers


class TooMuch(RuleBroken):
    """A draft is larger than a call can be."""


def of(session: Session, call: PlannedCall, actor: Actor) -> Draft | None:
    """Return what ``actor`` was typing about ``call``, if anything."""
    if absent.is_known(session, Draft.planned_call_id, call.id):
        return None
    return session.scalar(*_of(call.id, actor.staff_id))


@built_once
def _of(call_id: Any, staff_id: Any) -> Select[Draft]:
    return select(Draft).where(Draft.planned_call_id == call_id, Draft.staff_id == staff_id)


def begin(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> Draft:
    """Start the clock of a conversation; one begun before goes on. Does not commit."""
    draft = of(session, call, actor) or _new(session, call, actor, now=now)
    draft.saved_at = now
    draft.started_at = draft.started_at or now
    session.flush()
    return draft


def end(session: Session, call: PlannedCall, actor: Actor) -> None:
    """Stop the clock without recording anything; what was typed stays. Does not commit."""
    draft = of(session, call, actor)
    if draft is not None:
        draft.started_at = None


@dataclass(frozen=True)
class Typed:
    """What one tab has typed, over which version of the draft.

    ``settles`` names the tab whose text somebody has chosen from, so that it need not be
    kept aside any longer; empty where there was nothing to choose.
    """

    answers: Mapping[str, Any]
    version: int
    tab: str
    settles: str = ""


def save(session: Session, call: PlannedCall, actor: Actor, typed: Typed, *, now: datetime) -> int:
    """Keep what was typed and return its version. Does not commit.

    One conditional UPDATE decides between two tabs: it takes the version that the tab saw,
    or any, where that tab itself saved last (its answer may have been lost) or nobody did: a
    draft may be a new one, since what the tab saved before was recorded from another.

    Raises:
        SavedElsewhere: another tab saved meanwhile; nothing is overwritten, and what this
            tab typed is kept aside. Commit all the same.
        TooMuch: more fields or characters than a call can have.
    """
    length = sum(len(str(answer)) for answer in typed.answers.values())
    if len(typed.answers) > MOST_FIELDS or length > MOST_CHARACTERS:
        raise TooMuch("This is more text than one call can hold.")
    draft = of(session, call, actor) or _new(session, call, actor, now=now)
    kept = session.scalar(
        *_kept(draft.id, dict(typed.answers), typed.version, typed.tab, typed.tab[:40], now)
    )
    if kept is None:
        _keep_aside(session, call, actor, typed, now=now)
        session.refresh(draft)
        raise SavedElsewhere(draft.version, draft.answers)
    if typed.settles:
        asides, of_theirs = _asides_dropped(call.id, actor.staff_id)
        session.execute(asides.where(DraftAside.tab == typed.settles), of_theirs)
    return int(kept)


@built_once
def _kept(
    draft_id: Any, typed: Any, seen: Any, tab: Any, tab_as_kept: Any, now: Any
) -> ReturningUpdate[int]:
    is_own = and_(Draft.tab == tab, Draft.tab != "")
    return (
        update(Draft)
        .where(Draft.id == draft_id, or_(Draft.version == 0, Draft.version == seen, is_own))
        .values(answers=typed, version=Draft.version + 1, tab=tab_as_kept, saved_at=now)
        .returning(Draft.version)
        .execution_options(synchronize_session=False)
    )


def asides_of(session: Session, call: PlannedCall, actor: Actor) -> Sequence[DraftAside]:
    """Return what other tabs typed that nobody has chosen from yet, oldest first."""
    if absent.is_known(session, DraftAside.planned_call_id, call.id):
        return ()
    return session.scalars(*_asides_of(call.id, actor.staff_id)).all()


@built_once
def _asides_of(call_id: Any, staff_id: Any) -> Select[DraftAside]:
    return (
        select(DraftAside)
        .where(DraftAside.planned_call_id == call_id, DraftAside.staff_id == staff_id)
        .order_by(DraftAside.id)
    )


def _keep_aside(
    session: Session, call: PlannedCall, actor: Actor, typed: Typed, *, now: datetime
) -> None:
    """Keep what a tab typed beside the draft; typing on replaces its own text only."""
    row = {
        "clinic_id": call.clinic_id,
        "patient_id": call.patient_id,
        "planned_call_id": call.id,
        "staff_id": actor.staff_id,
        "tab": typed.tab,
        "answers": dict(typed.answers),
        "saved_at": now,
    }
    if insert_new(session, DraftAside, [row]):
        return
    session.execute(
        update(DraftAside)
        .where(
            DraftAside.planned_call_id == call.id,
            DraftAside.staff_id == actor.staff_id,
            DraftAside.tab == typed.tab,
        )
        .values(answers=dict(typed.answers), saved_at=now)
        .execution_options(synchronize_session=False)
    )


def drop(session: Session, call: PlannedCall, actor: Actor) -> None:
    """Forget the draft of a call that was recorded. Does not commit."""
    if not absent.is_known(session, Draft.planned_call_id, call.id):
        session.execute(*_dropped(call.id, actor.staff_id))
    if not absent.is_known(session, DraftAside.planned_call_id, call.id):
        session.execute(*_asides_dropped(call.id, actor.staff_id))


@built_once
def _dropped(call_id: Any, staff_id: Any) -> Delete:
    return (
        delete(Draft)
        .where(Draft.planned_call_id == call_id, Draft.staff_id == staff_id)
        .execution_options(synchronize_session="fetch")
    )


@built_once
def _asides_dropped(call_id: Any, staff_id: Any) -> Delete:
    return (
        delete(DraftAside)
        .where(DraftAside.planned_call_id == call_id, DraftAside.staff_id == staff_id)
        .execution_options(synchronize_session=False)
    )


def give_back(
    session: Session,
    call: PlannedCall,
    actor: Actor,
    answers: Mapping[str, Any],
    *,
    now: datetime,
) -> None:
    """Put what was typed for an attempt that was taken back into the form again.

    What somebody began to type since stays. Does not commit.
    """
    draft = of(session, call, actor) or _new(session, call, actor, now=now)
    if draft.version == 0 and answers:
        draft.answers, draft.version, draft.saved_at = dict(answers), 1, now
        session.flush()


def new_form_key() -> str:
    """Return a key under which one form can be recorded once."""
    return secrets.token_urlsafe(18)


def _new(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> Draft:
    """Return a new, empty draft; two requests at once get the same one."""
    row = {
        "clinic_id": call.clinic_id,
        "patient_id": call.patient_id,
        "planned_call_id": call.id,
        "staff_id": actor.staff_id,
        "form_key": new_form_key(),
        "answers": {},
        "version": 0,
        "tab": "",
        "saved_at": now,
    }
    insert_new(session, Draft, [row])
    return session.scalars(
        select(Draft).where(Draft.planned_call_id == call.id, Draft.staff_id == actor.staff_id)
    ).one()
