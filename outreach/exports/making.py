"""Writing what was asked for: claimed, leased, whole or not there at all.

A row is claimed by a conditional UPDATE; whoever writes renews the lease as rows go by. When a
worker dies, its lease runs out and another begins anew. A file gets its name once it is whole
and on the disk, and is offered by the same row only to the claim that wrote it.
"""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts import sign_in, staff
from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.clock import Clock
from outreach.errors import NotFound, RuleBroken
from outreach.exports import contents, fhir, folder, own_data, research, sheets
from outreach.exports.models import TYPED, Export
from outreach.exports.requesting import WITHIN, clinics_of, open_until
from outreach.exports.rules import (
    LASTS,
    LEASE,
    MOST_TRIES,
    TAKERS,
    Content,
    Format,
    Progress,
    Trouble,
    may_take,
)
from outreach.exports.rules.cells import Watch
from outreach.orm import Sessions
from outreach.pulse.rules import Telling

log = logging.getLogger(__name__)

_TYPED_OF = (Content.AUDIT, Content.STAFF)  # files of which something may be typed


class LostClaim(RuleBroken):
    """The lease ran out and somebody else writes this file now."""


@dataclass(frozen=True)
class Place:
    """Where files lie, for how long, and the key that dates are shifted by.

    ``needs_reason``: administrators take along only patients they opened with a reason, but
    for the research file, which names nobody. ``telling``: what may be told of callers' answers.
    """

    folder: Path
    kept_for: timedelta
    key: bytes
    needs_reason: bool = False
    telling: Telling = field(default_factory=Telling)


def write_next(sessions: Sessions, clock: Clock, place: Place) -> bool:
    """Write one file that waits; say whether there was one."""
    claim = secrets.token_hex(12)
    export_id = _claim(sessions, claim, now=clock())
    if export_id is None:
        return False
    part = folder.part_path(place.folder, claim)
    try:
        folder.create(part)
        with orm.reading(), sessions() as session:
            export = session.get_one(Export, export_id)
            trouble, rows = _write(session, export, part, place, _watch(sessions, claim, clock))
            asked = _without_typed(export.asked) | {WITHIN: _within(session, export)}
            expires_at = _expires_at(session, export, place, now=clock())
        if trouble is None:
            name = f"{claim}.{export.format.value}"
            size = folder.publish(part, name)
            _offer(sessions, claim, (name, size, rows, asked), now=clock(), expires_at=expires_at)
        else:
            _give_up(sessions, claim, trouble, now=clock())
    except NotFound:  # the clinic is theirs no more
        _give_up(sessions, claim, Trouble.NOT_ALLOWED, now=clock())
    except LostClaim:
        log.info("file %s is written by somebody else", export_id)
    except Exception:
        # The lease runs out and somebody tries again, MOST_TRIES times in all.
        log.exception("writing file %s failed", export_id)
        orm.row_failed(export_id)
    finally:
        folder.clear(part)
    return True


def expire(sessions: Sessions, place: Place, *, now: datetime) -> int:
    """Delete files whose days are over, and what belongs to no row; return how many."""
    with sessions.begin() as session:
        over = session.execute(
            update(Export)
            .where(Export.progress == Progress.READY, Export.expires_at <= now)
            .values(progress=Progress.EXPIRED, file_name=None, claim=None)
            .returning(Export.id)
        ).all()
    # A claim is in the table before its file is on the disk: files are listed first.
    there = sorted(path.name for path in place.folder.glob("*")) if place.folder.is_dir() else []
    with orm.reading(), sessions() as session:
        held = session.scalars(select(Export.claim).where(Export.claim.is_not(None))).all()
    strays = [name for name in there if name.split(".")[0] not in set(held)]
    for name in strays:
        folder.delete(place.folder, name)
    return len(over) + len(strays)


def forget_typed(sessions: Sessions) -> int:
    """Forget what was typed of files that are finished; return of how many.

    Of those that the release before finished: since then it is forgotten as each is written.
    """
    with orm.reading(), sessions() as session:
        kept = session.execute(
            select(Export.id, Export.asked)
            .where(Export.content.in_(_TYPED_OF), Export.finished_at.is_not(None))
            .order_by(Export.id)
        ).all()
    told = {
        row.id: _without_typed(row.asked) for row in kept if not row.asked.keys().isdisjoint(TYPED)
    }
    with sessions.begin() as session:
        for export_id, asked in told.items():
            session.execute(update(Export).where(Export.id == export_id).values(asked=asked))
    return len(told)


def _without_typed(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name not in TYPED}


def _claim(sessions: Sessions, claim: str, *, now: datetime) -> int | None:
    free = or_(
        Export.progress == Progress.WAITING,
        and_(Export.progress == Progress.WRITING, Export.lease_until <= now),
    )
    with sessions.begin() as session:
        session.execute(
            update(Export)
            .where(free, Export.tries >= MOST_TRIES)
            .values(
                progress=Progress.FAILED,
                trouble=Trouble.GAVE_UP.value,
                finished_at=now,
                claim=None,
                lease_until=None,
            )
        )
        first = select(Export.id).where(free).order_by(Export.asked_at, Export.id).limit(1)
        return session.scalar(
            update(Export)
            .where(Export.id == first.scalar_subquery(), free)
            .values(
                progress=Progress.WRITING,
                claim=claim,
                lease_until=now + LEASE,
                tries=Export.tries + 1,
                rows_done=0,
            )
            .returning(Export.id)
        )


def _watch(sessions: Sessions, claim: str, clock: Clock) -> Callable[[int, int | None], None]:
    """Return what is told how many rows are written: it renews the lease, or stops the work."""

    def tell(done: int, total: int | None) -> None:
        with orm.writing(), sessions.begin() as session:  # a reader is all around
            mine = session.execute(
                update(Export)
                .where(Export.claim == claim, Export.progress == Progress.WRITING)
                .values(rows_done=done, rows_total=total, lease_until=clock() + LEASE)
                .returning(Export.id)
            ).all()
        if not mine:
            raise LostClaim("Somebody else writes this file now.")

    return tell


def _write(
    session: Session,
    export: Export,
    part: Path,
    place: Place,
    tell: Callable[[int, int | None], None],
) -> tuple[Trouble | None, int]:
    """Write ``export`` to ``part``; return what is in the way, if anything, and how many rows."""
    session.rollback()
    orm.one_picture(session)  # from here to the last row
    actor = staff.actor(session, export.staff_id, now=export.asked_at)
    if actor is None or not may_take(actor.roles, export.content):
        return Trouble.NOT_ALLOWED, 0
    if export.content is Content.RESEARCH:
        return research.write_zip(session, actor, part, place.key, now=export.asked_at, tell=tell)
    actor = actor.acting_as(TAKERS[export.content])  # as on its page
    if place.needs_reason:
        actor = sign_in.narrowed(session, actor, now=export.asked_at)
    return _write_named(session, actor, export, part, place.telling, tell)


def _within(session: Session, export: Export) -> Sequence[int] | str:
    """Return the clinics of who asked, in the same picture of everything as what was written."""
    actor = staff.actor(session, export.staff_id, now=export.asked_at)
    return clinics_of(actor, export.content) if actor else []


def _expires_at(session: Session, export: Export, place: Place, *, now: datetime) -> datetime:
    """Return when a file ends: with its days, or with the hour for which a patient was opened."""
    ends = now + min(place.kept_for, LASTS.get(export.content, place.kept_for))
    opened = open_until(session, export, written_at=now) if place.needs_reason else None
    return min(ends, opened or ends)


def _write_named(
    session: Session,
    actor: Actor,
    export: Export,
    part: Path,
    telling: Telling,
    tell: Callable[[int, int | None], None],
) -> tuple[Trouble | None, int]:
    """Write a file that names patients, within what ``actor`` may see."""
    if export.content is Content.OWN_DATA:
        now = export.asked_at
        return None, own_data.write_zip(session, actor, export.asked, part, now=now, tell=tell)
    if export.content is Content.FHIR:
        return fhir.write_zip(session, actor, export, part, tell=tell)
    if export.format is Format.PDF:
        from outreach.exports.paper import write_paper  # noqa: PLC0415 - as contents.on_paper

        made = contents.on_paper(session, actor, export, telling)
        return None, write_paper(made, part, lambda done: tell(done, made.rows))
    table = contents.table(session, actor, export, telling)
    if table is None:
        return Trouble.SEARCH_IS_OVER, 0
    tell(0, table.total)
    watch: Watch = lambda done: tell(done, table.total)  # noqa: E731
    if export.format is Format.XLSX:
        return None, sheets.write_xlsx(table, part, watch)
    return None, sheets.write_csv(table, part, watch)


def _offer(
    sessions: Sessions,
    claim: str,
    written: tuple[str, int, int, dict[str, Any]],
    *,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Offer a whole file, where it is still this claim's to write, and note that it was made."""
    name, size, rows, asked = written
    with sessions.begin() as session:
        export = session.scalar(
            update(Export)
            .where(Export.claim == claim, Export.progress == Progress.WRITING)
            .values(
                progress=Progress.READY,
                file_name=name,
                asked=asked,
                bytes=size,
                rows_done=rows,
                rows_total=rows,
                finished_at=now,
                expires_at=expires_at,
                lease_until=None,
            )
            .returning(Export)
        )
        if export is None:
            raise LostClaim("Somebody else writes this file now.")
        trail.record(
            session,
            f"made a file of {export.content.value}",
            actor_id=export.staff_id,
            now=now,
            clinic_id=export.clinic_id,
            about=("export", export.id),
        )


def _give_up(sessions: Sessions, claim: str, trouble: Trouble, *, now: datetime) -> None:
    with sessions.begin() as session:
        session.execute(
            update(Export)
            .where(Export.claim == claim)
            .values(
                progress=Progress.FAILED,
                trouble=trouble.value,
                finished_at=now,
                claim=None,
                lease_until=None,
            )
        )
