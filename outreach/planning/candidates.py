"""Who may have been silent for too long: the rule of ``rules.silence``, set-based.

A statement a page of enrolments. What it finds is never too little: rests, the patient's
zone and the last word are left to the rule.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Integer,
    ScalarSelect,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from outreach.orm import UTCDateTime
from outreach.patients.models import Patient
from outreach.planning import spoken
from outreach.planning.models import FollowUp, PlannedCall
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import FollowUpPolicy
from outreach.sql import latest

A_DAY = timedelta(days=1)
NEVER = 10_000  # days or missed calls: longer than any programme


class Page(NamedTuple):
    """Who may be concerned among some enrolments, and after which the next page begins."""

    ids: Sequence[int]
    next_after_id: int | None


def page_of(session: Session, *, now: datetime, after_id: int, limit: int) -> Page:
    """Return who may be silent for too long among the next ``limit`` active enrolments."""
    page = (
        spoken.called_ids()
        .where(Enrolment.id > after_id)
        .order_by(Enrolment.id)
        .limit(limit)
        .subquery()
    )
    count, last_id = session.execute(select(func.count(), func.max(page.c.id))).one()
    if not count:
        return Page((), None)
    known = spoken.silences().where(Enrolment.id > after_id, Enrolment.id <= last_id)
    # Worked out once a row: the conditions below name ``since_at`` ten times.
    once = known.cte("known").prefix_with("MATERIALIZED")
    found = _Conditions(once, spoken.policies(session), now)
    ids = session.scalars(
        select(found.known.c.id).where(found.may_follow()).order_by(found.known.c.id)
    ).all()
    return Page(ids, last_id if count == limit else None)


class _Conditions:
    """The rule as conditions on rows of ``known``, wide enough for every zone and rest."""

    def __init__(self, known: CTE, policies: Mapping[int, FollowUpPolicy], now: datetime) -> None:
        self.known = known
        self._policies = policies
        self._now = now
        checked_at = self._of_kind(FollowUpKind.CONTACT_CHECK, func.max(FollowUp.done_at))
        self._counted_from = latest(known.c.since_at, func.coalesce(checked_at, known.c.since_at))

    def may_follow(self) -> ColumnElement[bool]:
        """Return the condition that some step may have to be taken."""
        is_to_check = or_(
            self._has_missed(self._counted_from, lambda policy: policy.missed_to_check),
            and_(
                self._is_silent(self._counted_from, lambda policy: policy.silent_days_early),
                self.known.c.starts_on >= self._by_version(self._early_start),
            ),
            self._is_silent(self._counted_from, lambda policy: policy.silent_days_late),
        )
        is_to_review = self._has_missed(
            self.known.c.since_at, lambda policy: policy.missed_to_review
        )
        return or_(
            and_(~self._was_asked(FollowUpKind.REVIEW_TIMES), is_to_review),
            and_(~self._is_in_check(), is_to_check),
            and_(
                self._is_welfare_agreed(),
                ~self._was_asked(FollowUpKind.WELFARE_CHECK),
                self._is_to_welfare(),
            ),
            and_(
                self._is_silent(self.known.c.since_at, lambda policy: policy.unreachable_days),
                self._is_tried(),
            ),
        )

    def _is_to_welfare(self) -> ColumnElement[bool]:
        is_missed = self._has_missed(
            self.known.c.since_at, lambda policy: policy.missed_to_welfare or NEVER
        )
        is_silent = self._is_silent(
            self.known.c.since_at, lambda policy: policy.silent_days_welfare or NEVER
        )
        return or_(is_missed, and_(is_silent, self._is_tried()))

    def _is_welfare_agreed(self) -> ColumnElement[bool]:
        return exists().where(
            Patient.id == self.known.c.patient_id, Patient.is_welfare_check_agreed.is_(True)
        )

    def _is_tried(self) -> ColumnElement[bool]:
        return spoken.dialled_at(self.known) > self.known.c.since_at

    def _was_asked(self, kind: FollowUpKind) -> ColumnElement[bool]:
        """Return the condition that something was, or is, asked for in this silence."""
        return exists().where(
            FollowUp.enrolment_id == self.known.c.id,
            FollowUp.kind == kind,
            or_(FollowUp.opened_at > self.known.c.since_at, FollowUp.done_at.is_(None)),
        )

    def _is_in_check(self) -> ColumnElement[bool]:
        return exists().where(
            FollowUp.enrolment_id == self.known.c.id,
            FollowUp.kind == FollowUpKind.CONTACT_CHECK,
            FollowUp.done_at.is_(None),
        )

    def _has_missed(
        self, since_at: ColumnElement[datetime], of: Callable[[FollowUpPolicy], int]
    ) -> ColumnElement[bool]:
        missed = (
            select(func.count())
            .select_from(PlannedCall)
            .where(
                PlannedCall.enrolment_id == self.known.c.id,
                PlannedCall.status == CallStatus.MISSED,
                PlannedCall.closed_at > since_at,
            )
            .correlate(self.known)
            .scalar_subquery()
        )
        return missed >= self._by_version(of)

    def _is_silent(
        self, since_at: ColumnElement[datetime], of: Callable[[FollowUpPolicy], int]
    ) -> ColumnElement[bool]:
        def begun(policy: FollowUpPolicy) -> datetime:
            return self._now - timedelta(days=of(policy))

        first_day = self._by_version(lambda policy: (begun(policy) + A_DAY).date())
        return and_(since_at <= self._by_version(begun), self.known.c.starts_on <= first_day)

    def _early_start(self, policy: FollowUpPolicy) -> date:
        """Return the earliest start of somebody for whom the early days may still count.

        Whoever began before that and was silent for the early days is silent for the late
        ones by now.
        """
        weeks, late = timedelta(weeks=policy.early_weeks), timedelta(policy.silent_days_late)
        return (self._now - weeks - late - 2 * A_DAY).date()

    def _of_kind(self, kind: FollowUpKind, column: Any) -> ScalarSelect[Any]:
        return (
            select(column)
            .where(FollowUp.enrolment_id == self.known.c.id, FollowUp.kind == kind)
            .correlate(self.known)
            .scalar_subquery()
        )

    def _by_version(self, of: Callable[[FollowUpPolicy], Any]) -> ColumnElement[Any]:
        """Return ``of`` the policy of a row's version; versions that agree share a branch."""
        versions: dict[Any, list[int]] = defaultdict(list)
        for version_id, policy in self._policies.items():
            versions[of(policy)].append(version_id)
        branches = [(_value(value), ids) for value, ids in versions.items()]
        if len(branches) == 1:
            return branches[0][0]
        return case(*((self.known.c.version_id.in_(ids), value) for value, ids in branches))


def _value(value: int | date | datetime) -> ColumnElement[Any]:
    if isinstance(value, datetime):
        return literal(value, UTCDateTime())
    return literal(value, Date() if isinstance(value, date) else Integer())
