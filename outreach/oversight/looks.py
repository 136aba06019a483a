"""Noting that somebody opened a patient's page. No page of a patient goes unnoted."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from outreach.audit import trail
from outreach.audit.models import AuditEvent
from outreach.brakes import counting
from outreach.brakes.rules import Braked, Limit
from outreach.orm import Model, rows_of
from outreach.patients.models import Patient

LOOKED = "looked at"
LISTED = "listed patients"
SHOWN = "shown in a list"
# What a look by way of an access key is at begins so; the key is what it is about.
BY_KEY = "fhir."
# The same person on the same page of the same patient: one look, however often it refreshes.
ONE_LOOK = timedelta(minutes=10)

# How a page of many leads to each of them: by a patient's reference in an address of ours, or by
# the number of something that is a patient's.
_BY_REF = re.compile(r'="/[a-z/-]+/([0-9a-f]{16})[/?#"]')
_BY_NUMBER = {
    "concern": re.compile(r'="/concerns/([0-9]{1,18})[/?#"]'),
    "follow_up": re.compile(r'="/(?:welfare|patients/follow-ups)/([0-9]{1,18})[/?#"]'),
    "message": re.compile(r'="/messages/([0-9]{1,18})[/?#"]'),
}
# Pages that name the patients of whole clinics, some dozens at a time.
LISTS = frozenset(
    {
        "patient_list.show",
        "patient_list.save",  # shown again around a name that is refused
        "reports.adherence_patients",
        "reports.adherence_calls",
        "reports.around_patients",
        "report_lists.calls_of_today",
        "report_lists.concerns_raised",
        "report_lists.concerns_met",
        "outcomes.patients",
        "outcomes.glycaemic",
        "cohort.board_patients",
        "intake.run",  # what it says of rows quotes them
    }
)

# Pages whose address names no patient, by what it does name.
_TABLES = {
    "concern_id": "concern",
    "message_id": "message",
    "phone_call_id": "phone_call",
    "follow_up_id": "follow_up",
    "item_id": "inbox_item",
}


def note(
    session: Session,
    staff_id: int,
    page: str,
    named: Mapping[str, object],
    limit: Limit,
    *,
    now: datetime,
) -> bool:
    """Note a look at the patient whom ``named``, a page's arguments, leads to.

    Says whether one was noted: not where no patient is named, nor within ONE_LOOK of the same.
    Does not commit.

    Raises:
        TooOften: more than ``limit``, as somebody does who copies records page by page.
    """
    argument = next((each for each in ("ref", *_TABLES) if each in named), None)
    if argument is None:
        return False
    wanted = {
        "named": named[argument],
        "staff_id": staff_id,
        "page": page[:40],
        "since": now - ONE_LOOK,
    }
    found = next(iter(rows_of(session, _led_to_by(argument), wanted)), None)
    if found is None or found.is_noted:
        return False
    patient_id, clinic_id, _noted = found
    counting.count(session, Braked.LOOKS, f"account {staff_id}", limit, now=now)
    trail.record(
        session,
        LOOKED,
        actor_id=staff_id,
        now=now,
        clinic_id=clinic_id,
        patient_id=patient_id,
        about=(page[:40], None),
    )
    return True


def note_list(session: Session, staff_id: int, page: str, limit: Limit, *, now: datetime) -> None:
    """Note that somebody opened one of LISTS, or turned its page. Does not commit.

    Raises:
        TooOften: more than ``limit``, as somebody does who copies a list page by page.
    """
    counting.count(session, Braked.LISTS, f"account {staff_id}", limit, now=now)
    trail.record(session, LISTED, actor_id=staff_id, now=now, about=(page[:40], None))


def shown_by(text: str) -> ColumnElement[bool] | None:
    """Return the condition that the text of a page leads to somebody; None where to nobody."""
    refs = set(_BY_REF.findall(text))
    leads_to = [Patient.ref.in_(sorted(refs))] if refs else []
    for name, pattern in _BY_NUMBER.items():
        if numbers := {int(each) for each in pattern.findall(text)}:
            table = Model.metadata.tables[name]
            linked = select(table.c.patient_id).where(table.c.id.in_(sorted(numbers)))
            leads_to.append(Patient.id.in_(linked))
    return or_(*leads_to) if leads_to else None


def not_noted(
    session: Session, staff_id: int, page: str, shown: ColumnElement[bool], *, now: datetime
) -> Sequence[tuple[int, int]]:
    """Return whom a page shows somebody within ONE_LOOK for the first time: id and clinic each.

    ``shown``: as :func:`shown_by`. Only reads: a page that refreshes itself writes nothing.
    """
    found = session.execute(
        select(Patient.id, Patient.clinic_id)
        .where(shown, ~_is_noted(staff_id, SHOWN, page[:40], now - ONE_LOOK))
        .order_by(Patient.id)
    )
    return [(row.id, row.clinic_id) for row in found]


def note_shown(
    session: Session,
    staff_id: int,
    page: str,
    shown: Sequence[tuple[int, int]],
    *,
    now: datetime,
) -> None:
    """Note that a page of many showed somebody these patients. Does not commit."""
    for clinic_id in sorted({of for _id, of in shown}):
        trail.record_all(
            session,
            [(SHOWN, patient_id) for patient_id, of in shown if of == clinic_id],
            actor_id=staff_id,
            now=now,
            clinic_id=clinic_id,
            about=(page[:40], None),
        )


def note_by_key(
    session: Session,
    by: tuple[int, int],
    kind: str,
    patient_ids: Collection[int],
    *,
    is_list: bool,
    now: datetime,
) -> None:
    """Note that another system read records of a ``kind`` (Patient): a look at each patient.

    ``by`` are the ids of its access key and of the key's clinic. A list is a line besides. All
    of it is one statement. No page refreshes itself here, so each request is noted. Does not
    commit.
    """
    key_id, clinic_id = by
    listed = [(LISTED, None)] if is_list else []
    trail.record_all(
        session,
        [*listed, *((LOOKED, patient_id) for patient_id in patient_ids)],
        actor_id=None,
        now=now,
        clinic_id=clinic_id,
        about=(f"{BY_KEY}{kind}", key_id),
    )


def names_a_patient(named: Mapping[str, object]) -> bool:
    """Say whether a page's arguments lead to a patient."""
    return "ref" in named or not _TABLES.keys().isdisjoint(named)


def _is_noted(staff_id: Any, action: str, page: Any, since: Any) -> ColumnElement[bool]:
    return exists().where(
        AuditEvent.patient_id == Patient.id,
        AuditEvent.at > since,
        AuditEvent.actor_id == staff_id,
        AuditEvent.action == action,
        AuditEvent.object_kind == page,
    )


@cache
def _led_to_by(argument: str) -> Select[*tuple[Any, ...]]:
    """Return the statement of whom ``named``, an argument of a page, leads to; built once.

    And whether ``staff_id`` is noted since ``since`` on ``page``.
    """
    named: ColumnElement[Any] = bindparam("named")
    is_theirs = Patient.ref == named
    if argument != "ref":
        # These tables lie in other packages: named, not imported, as a foreign key is.
        table = Model.metadata.tables[_TABLES[argument]]
        is_theirs = Patient.id.in_(select(table.c.patient_id).where(table.c.id == named))
    is_noted = _is_noted(bindparam("staff_id"), LOOKED, bindparam("page"), bindparam("since"))
    return select(Patient.id, Patient.clinic_id, is_noted.label("is_noted")).where(is_theirs)
