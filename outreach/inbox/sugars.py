"""Blood sugar that comes by text: kept and judged; what isn't clear is judged all the same."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.concerns import raising
from outreach.concerns.rules import ConcernKind, Urgency, trigger_of
from outreach.inbox import permission
from outreach.inbox.rules.sugar import Sugar, Unclear, sugar_in
from outreach.inbox.rules.words import is_reaction
from outreach.measures import readings
from outreach.measures.models import Reading
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import REGISTRY, MeasureKind, ReadingSource
from outreach.messaging.models import InboundText
from outreach.patients.models import Patient
from outreach.results import entering

SHARED = "The number is not theirs alone. "
BY_TEXT = "Sent by text; nobody has spoken with the patient yet."


def keep(
    session: Session, patient: Patient, inbound: InboundText, sugar: Sugar, *, now: datetime
) -> tuple[Reading | None, bool]:
    """Keep a value, and raise what it asks for; say whether a nurse must act. No commit.

    It was measured when its text came: a yes to 'may we keep it?' may come a day later, and
    an alert dated back to then would be too late to be sent.
    """
    key = f"sms:{inbound.id}"
    if readings.are_kept(session, patient.id, [key]):
        return None, False
    reading = readings.store(
        session,
        patient,
        ReportedReading(
            MeasureKind.GLUCOSE,
            sugar.value,
            sugar.unit,
            _taken_at(sugar, ZoneInfo(patient.zone), inbound.received_at),
            is_time_known=not sugar.is_this_morning,
            bound=sugar.bound,
        ),
        source=ReadingSource.SMS,
        attempt_id=None,
        by_staff_id=None,
        now=now,
        external_key=key,
    )
    judged = entering.judge(session, reading, now=now)
    if judged is None:
        return reading, False
    entering.raise_worst(session, patient, [judged], note=BY_TEXT, by_staff_id=None, now=now)
    return reading, judged.trigger.urgency is not Urgency.NEXT_BUSINESS_DAY


def possibly_meant(sugar: Sugar | Unclear) -> Sequence[tuple[Decimal, str]]:
    """Return every value, with its unit, that a text may mean."""
    return ((sugar.value, sugar.unit),) if isinstance(sugar, Sugar) else sugar.maybe


def raise_for_each(session: Session, people: Sequence[Patient], inbound: InboundText) -> bool:
    """Raise a concern for each of ``people`` where their text, answered by no rule, alarms.

    Of a number that is several people's, or said stop. Says whether there was one; no commit.
    """
    is_urgent, more = False, SHARED if len(people) > 1 else ""
    for patient in people:
        sugar = None
        if is_reaction(inbound.body) is None:
            sugar = sugar_in(inbound.body, patient.clinic.glucose_unit)
        if sugar and (sugar.is_named or permission.is_given(session, patient.id)):
            maybe = possibly_meant(sugar)
            is_urgent |= raise_if_alarming(session, patient, inbound, maybe, more=more)
    return is_urgent


def raise_if_alarming(
    session: Session,
    patient: Patient,
    inbound: InboundText,
    maybe: Sequence[tuple[Decimal, str]],
    *,
    more: str = "",
) -> bool:
    """Raise a concern where anything that was possibly meant is urgent; say so. No commit.

    Nothing is kept as a reading: it is not clear what was meant, or they have not agreed.
    ``more``: what the nurse should know besides.
    """
    now, measure = inbound.received_at, REGISTRY[MeasureKind.GLUCOSE]
    found = [
        trigger_of(
            MeasureKind.GLUCOSE, measure.in_canonical_unit(value, unit), taken_at=now, now=now
        )
        for value, unit in maybe
    ]
    urgent = [each for each in found if each is not None and each.urgency is Urgency.NOW]
    if not urgent:
        return False
    kinds = {each.kind for each in urgent}
    kind = kinds.pop() if len(kinds) == 1 else ConcernKind.SAFETY
    words = f"Texted: “{inbound.body[:500]}”. Not kept as a reading. {more}{BY_TEXT}"
    raising.raise_by_text(session, patient, kind, words, key=f"{inbound.id}:{patient.id}", now=now)
    return True


def _taken_at(sugar: Sugar, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when the body was measured; local noon, or now, where only the day is known."""
    if not sugar.is_this_morning:
        return now
    noon = datetime.combine(local_day(now, zone), time(12), tzinfo=zone).astimezone(UTC)
    return min(noon, now)
