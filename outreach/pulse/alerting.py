"""Telling those who hear it that a caller asks for support: once, and no word more than that.

By text and by e-mail, as far as the clinic has not refused it, and in the hours in which staff
are told what can wait. Written by a tick that looks for who was not told yet; the keys make a
second one impossible.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.messaging import letters, outbox, setting, templates
from outreach.messaging.letters import Due
from outreach.messaging.models import Message, OutboxHold
from outreach.messaging.rules import MessageKind, MessageStatus, staff_hours_end
from outreach.pulse import listeners
from outreach.pulse.listeners import Listener
from outreach.pulse.models import SupportRequest
from outreach.telephony.mail import Letter


@dataclass(frozen=True)
class _Told:
    """Somebody to be told of a request now, until ``ends_at`` at the latest."""

    request_id: int
    listener: Listener
    ends_at: datetime


def cause_of(request_id: int) -> str:
    """Return under what the words about a request stand in the outbox."""
    return f"support:{request_id}"


def texts(session: Session, *, now: datetime) -> list[dict[str, Any]]:
    """Return the texts to write now: to who has a number and was not texted of it yet.

    One whose hours ended before it went out is written anew on the next day.
    """
    found = list(_to_tell(session, MessageKind.SUPPORT, now=now))
    told = _texted(session, {cause_of(each.request_id) for each in found})
    return [
        outbox.new_alert(
            each.listener.person,
            each.listener.clinic.id,
            templates.support(each.listener.clinic.name, each.listener.person.locale),
            dedupe_key=_key(each, now),
            cause=cause_of(each.request_id),
            window=(now, each.ends_at),
            now=now,
            kind=MessageKind.SUPPORT,
        )
        for each in found
        if each.listener.person.phone is not None
        and (cause_of(each.request_id), each.listener.person.id) not in told
    ]


def mail(session: Session, *, now: datetime, public_url: str | None = None) -> list[Due]:
    """Return the letters to write now. ``public_url`` is where staff reach the product.

    None about who asked before a backup was put back: its rows may not tell of what went out.
    """
    found = []
    for each in _to_tell(session, MessageKind.SUPPORT_EMAIL, now=now, since_restored=True):
        person, clinic = each.listener.person, each.listener.clinic
        letter = Letter(
            person.email,
            templates.support_subject(clinic.name, person.locale),
            templates.support(clinic.name, person.locale)
            + (f"\n\n{public_url}/\n" if public_url else "\n"),
            f"support.{each.request_id}.{person.id}",
            now,
        )
        key = f"support-email:{each.request_id}:{person.id}"
        cause = cause_of(each.request_id)
        found.append(
            Due(MessageKind.SUPPORT_EMAIL, person.id, clinic.id, person.locale, key, cause, letter)
        )
    return letters.unwritten(session, found)


def _to_tell(
    session: Session, kind: MessageKind, *, now: datetime, since_restored: bool = False
) -> Iterator[_Told]:
    """Yield who hears an open request and may be told of it now by ``kind``, each once."""
    rows = _open_requests(session, since_restored=since_restored)
    heard = listeners.of_askers(session, [asker for _request_id, asker in rows], now=now)
    wanted: dict[int, bool] = {}
    for request_id, asker in rows:
        told: set[int] = set()
        for each in heard.get(asker, ()):
            clinic_id, person = each.clinic.id, each.person
            if clinic_id not in wanted:
                wanted[clinic_id] = kind in setting.kinds_of(session, clinic_id)
            ends_at = staff_hours_end(now, ZoneInfo(person.zone))
            if wanted[clinic_id] and ends_at is not None and person.id not in told:
                told.add(person.id)
                yield _Told(request_id, each, ends_at)


def _open_requests(session: Session, *, since_restored: bool) -> list[tuple[int, int]]:
    rows = select(SupportRequest.id, SupportRequest.staff_id).where(
        SupportRequest.spoken_at.is_(None)
    )
    if since_restored:
        rows = rows.where(~exists().where(OutboxHold.began_at >= SupportRequest.asked_at))
    return [(row.id, row.staff_id) for row in session.execute(rows.order_by(SupportRequest.id))]


def _texted(session: Session, causes: set[str]) -> set[tuple[str, int | None]]:
    """Return who was texted of which cause, or may have been, or still will be."""
    rows = session.execute(
        select(Message.cause, Message.staff_id).where(
            Message.cause.in_(causes),
            Message.kind == MessageKind.SUPPORT,
            Message.status != MessageStatus.SKIPPED,
        )
    )
    return {(cause, staff_id) for cause, staff_id in rows}


def _key(told: _Told, now: datetime) -> str:
    person = told.listener.person
    day = local_day(now, ZoneInfo(person.zone))
    return f"support:{told.request_id}:{person.id}:{day.isoformat()}"
