"""How often patients chose to be called."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import RuleBroken
from outreach.programmes.models import CadenceChoice, Enrolment
from outreach.programmes.rules import Protocol


class NotOffered(RuleBroken):
    """The programme does not offer this rhythm in this phase."""


def choose(
    session: Session,
    enrolment: Enrolment,
    protocol: Protocol,
    choice: tuple[str, int],
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Append the patient's choice (phase code, number) for one phase. Does not commit.

    What they chose before and choose again needs no second row.

    Raises:
        NotOffered: the phase doesn't offer that number.
    """
    code, value = choice
    if not any(phase.code == code and value in phase.choices for phase in protocol.phases):
        raise NotOffered("The programme does not offer this.")
    if current_of(session, [enrolment.id])[enrolment.id].get(code) == value:
        return
    session.add(
        CadenceChoice(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            enrolment_id=enrolment.id,
            phase=code,
            value=value,
            by_staff_id=by_staff_id,
            chosen_at=now,
        )
    )


def current_of(session: Session, enrolment_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return the choices that hold now: enrolment id to phase code to number."""
    rows = session.execute(
        select(CadenceChoice.enrolment_id, CadenceChoice.phase, CadenceChoice.value)
        .where(CadenceChoice.enrolment_id.in_(enrolment_ids))
        .order_by(CadenceChoice.id)
    ).all()
    chosen: dict[int, dict[str, int]] = {each: {} for each in enrolment_ids}
    for enrolment_id, phase, value in rows:
        chosen[enrolment_id][phase] = value
    return chosen
