"""Texts to patients that were due in some days: what the carrier did with them, who wrote back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from outreach.inbox.models import InboxItem
from outreach.inbox.rules import Understood
from outreach.messaging.delivery import TAKEN
from outreach.messaging.models import DeliveryEvent, Message
from outreach.messaging.rules import MessageStatus
from outreach.reports.asked import Asked
from outreach.reports.facts import Fact
from outreach.sql import table_of_days

# Codes of the carrier that tell of a wrong list, a spam filter, a sender not registered.
WATCHED_CODES = ("21610", "30007", "30034")
_HANDED_OVER = (*TAKEN, MessageStatus.FAILED)


@dataclass(frozen=True)
class Texted:
    """What became of texts. ``refused`` is by code, of all that were handed to the carrier.

    ``not_taken`` counts the texts due in these days that the carrier did not take (they wait,
    were held back, or failed), ``untexted`` the patients all of whose texts that is true of.
    """

    delivered: list[Fact]
    answered: list[Fact]
    stopped: list[Fact]
    refused: Mapping[str, list[Fact]]
    not_taken: int
    untexted: int


def texted(session: Session, asked: Asked, *, by_day: bool) -> Texted:
    """Return what became of texts, patient by patient, and with ``by_day`` day by day.

    Whether somebody wrote back is of no single day.
    """
    delivered: list[Fact] = []
    refused: dict[str, list[Fact]] = {code: [] for code in WATCHED_CODES}
    people: dict[int, tuple[int, int, int]] = {}
    not_taken = 0
    for row in session.execute(_statement(asked, by_day=by_day)):
        patient_id, due, arrived, taken, handed, has_answered, has_stopped, *more = row
        on = more.pop() if by_day else None
        not_taken += due - taken
        before = people[patient_id][0] if patient_id in people else 0
        people[patient_id] = (before + taken, int(has_answered), int(has_stopped))
        if taken:
            delivered.append(Fact(patient_id, int(arrived), int(taken), on))
        if handed:
            for code, failed in zip(WATCHED_CODES, more, strict=True):
                refused[code].append(Fact(patient_id, int(failed), int(handed), on))
    wrote = [(each, *answers) for each, (taken, *answers) in people.items() if taken]
    return Texted(
        delivered,
        answered=[Fact(each, has_answered, 1) for each, has_answered, _stop in wrote],
        stopped=[Fact(each, has_stopped, 1) for each, _answer, has_stopped in wrote],
        refused=refused,
        not_taken=int(not_taken),
        untexted=len(people) - len(wrote),
    )


def _statement(asked: Asked, *, by_day: bool) -> Select[*tuple[Any, ...]]:
    """Select what became of the texts of each patient: how many, and whether they wrote."""
    begins_at, ends_at = asked.instants
    wrote = (
        InboxItem.patient_id == Message.patient_id,
        InboxItem.at >= begins_at,
        InboxItem.at < ends_at,
    )
    is_delivered, is_taken, is_handed = _became_of(asked)
    has_failed = [_has_failed(asked, code) for code in WATCHED_CODES]
    counts = (
        func.count(),
        _sum(is_delivered),
        _sum(is_taken),
        _sum(or_(is_handed, *has_failed)),
        exists().where(*wrote).correlate(Message),
        exists().where(*wrote, InboxItem.understood == Understood.STOP).correlate(Message),
        *map(_sum, has_failed),
    )
    found = select(Message.patient_id, *counts).where(
        asked.within(Message.clinic_id),
        Message.patient_id.is_not(None),
        Message.send_after >= begins_at,
        Message.send_after < ends_at,
    )
    if asked.is_past:
        found = found.where(Message.created_at <= asked.now)
    groups: tuple[Any, ...] = (Message.patient_id,)
    if by_day:
        days = table_of_days(asked.each_day())
        is_of_day = and_(
            Message.send_after >= days.c.begins_at, Message.send_after < days.c.ends_at
        )
        groups = (*groups, days.c.day)
        found = found.join(days, is_of_day).add_columns(days.c.day)
    return found.group_by(*groups).order_by(*groups)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _became_of(
    asked: Asked,
) -> tuple[ColumnElement[bool], ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions that a text was delivered, taken, and handed to the carrier at all.

    As of an earlier day by what the carrier had reported by then.
    """
    if not asked.is_past:
        status = Message.status
        return status == MessageStatus.DELIVERED, status.in_(TAKEN), status.in_(_HANDED_OVER)
    was_accepted = and_(Message.accepted_at.is_not(None), Message.accepted_at <= asked.now)
    delivered = _reported(asked, DeliveryEvent.status == MessageStatus.DELIVERED.value)
    failed = _reported(asked, DeliveryEvent.status == MessageStatus.FAILED.value)
    at_once = and_(
        Message.status == MessageStatus.FAILED,
        Message.accepted_at.is_(None),
        Message.calling_at <= asked.now,
    )
    is_taken = and_(was_accepted, ~failed)
    return and_(was_accepted, delivered), is_taken, or_(was_accepted, at_once)


def _has_failed(asked: Asked, code: str) -> ColumnElement[bool]:
    """Return the condition that a text failed for a reason, by report or when it was sent."""
    if not asked.is_past:
        return Message.failure == code
    any_report = exists().where(DeliveryEvent.message_id == Message.id).correlate(Message)
    at_once = and_(Message.failure == code, Message.calling_at <= asked.now, ~any_report)
    return or_(_reported(asked, DeliveryEvent.error_code == int(code)), at_once)


def _reported(asked: Asked, what: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        exists()
        .where(DeliveryEvent.message_id == Message.id, DeliveryEvent.received_at <= asked.now, what)
        .correlate(Message)
    )
