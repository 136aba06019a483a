"""Keeping what was typed, giving it back, and forgetting it."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from outreach.orm import Sessions
from outreach.typed.models import TypedForm
from outreach.typed.rules import KEPT_FOR, MOST_FORMS, NotKept, is_place


def keep(
    session: Session, staff_id: int, place: str, fields: list[list[str]], *, now: datetime
) -> None:
    """Keep the fields of the form that is sent to ``place``, over those before. Does not commit.

    The oldest of somebody's forms makes room where there are MOST_FORMS.

    Raises:
        NotKept: no form of ours is sent there.
    """
    if not is_place(place):
        raise NotKept("This can't be kept.")
    row = {"staff_id": staff_id, "place": place, "fields": fields, "at": now}
    dialect = session.get_bind().dialect.name
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(TypedForm).values(row)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["staff_id", "place"],
            set_={"fields": insert.excluded.fields, "at": insert.excluded.at},
        )
    )
    theirs = TypedForm.staff_id == staff_id
    newest = select(TypedForm.id).where(theirs).order_by(TypedForm.at.desc()).limit(MOST_FORMS)
    session.execute(
        delete(TypedForm).where(theirs, TypedForm.id.not_in(newest)),
        execution_options={"synchronize_session": False},
    )


def find(session: Session, staff_id: int, place: str, *, now: datetime) -> TypedForm | None:
    """Return what ``staff_id`` typed for ``place`` and did not send."""
    return session.scalar(
        select(TypedForm).where(
            TypedForm.staff_id == staff_id,
            TypedForm.place == place,
            TypedForm.at > now - KEPT_FOR,
        )
    )


def drop(session: Session, staff_id: int, place: str) -> None:
    """Forget what ``staff_id`` typed for ``place``: it was sent or thrown away. Does not commit."""
    session.execute(
        delete(TypedForm).where(TypedForm.staff_id == staff_id, TypedForm.place == place)
    )


def forget_old(sessions: Sessions, *, now: datetime) -> int:
    """Delete what was typed longer than KEPT_FOR ago; return how many forms."""
    with sessions.begin() as session:
        gone = delete(TypedForm).where(TypedForm.at <= now - KEPT_FOR).returning(TypedForm.id)
        return len(session.scalars(gone).all())
