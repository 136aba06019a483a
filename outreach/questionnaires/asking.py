"""Keeping a questionnaire as it was answered, and telling a nurse where it asks for one."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.concerns import raising
from outreach.concerns.raising import Raised
from outreach.concerns.rules import ConcernKind, Trigger, Urgency
from outreach.errors import NotFound
from outreach.measures import readings
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import MeasureKind
from outreach.orm import insert_new
from outreach.patients.models import Patient
from outreach.questionnaires import licences
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from outreach.questionnaires.rules import (
    INSTRUMENTS,
    Gap,
    Instrument,
    InstrumentCode,
    Review,
    Score,
    part_scores,
    review_of,
    score,
)

# Totals that stand beside the patient's other readings, in charts and reports.
KINDS = {
    InstrumentCode.PHQ_2: MeasureKind.PHQ2_TOTAL,
    InstrumentCode.PHQ_9: MeasureKind.PHQ9_TOTAL,
    InstrumentCode.GAD_7: MeasureKind.GAD7_TOTAL,
    InstrumentCode.PEG: MeasureKind.PEG_MEAN,
    InstrumentCode.PAIN: MeasureKind.PAIN,
    InstrumentCode.DDS_2: MeasureKind.DDS2_MEAN,
    InstrumentCode.DDS_17: MeasureKind.DDS17_MEAN,
    InstrumentCode.UCLA_3: MeasureKind.UCLA3_TOTAL,
    InstrumentCode.CARE: MeasureKind.CARE_TOTAL,
    InstrumentCode.PDSMS: MeasureKind.PDSMS_TOTAL,
}
# Likewise of questionnaires whose parts have no total; the parts of others stay with them.
PART_KINDS = {
    InstrumentCode.SDSCA: {
        "general_diet": MeasureKind.SDSCA_GENERAL_DIET,
        "specific_diet": MeasureKind.SDSCA_SPECIFIC_DIET,
        "exercise": MeasureKind.SDSCA_EXERCISE,
        "testing": MeasureKind.SDSCA_TESTING,
        "feet": MeasureKind.SDSCA_FEET,
    },
}
# What stands beside the readings of each questionnaire, total or parts.
READINGS_OF = {code: frozenset({kind}) for code, kind in KINDS.items()} | {
    code: frozenset(kinds.values()) for code, kinds in PART_KINDS.items()
}
# The other way round: which questionnaire's page asks for a measure.
ASKED_BY = {kind.value: instrument.value for instrument, kind in KINDS.items()} | {
    kind.value: instrument.value
    for instrument, kinds in PART_KINDS.items()
    for kind in kinds.values()
}
# A questionnaire asks about the last days or weeks: what was begun longer ago begins anew.
RESUMED_WITHIN = timedelta(hours=24)
_TRIGGERS = {
    Review.NOW: Trigger(ConcernKind.SELF_HARM, Urgency.NOW),
    Review.SAME_DAY: Trigger(ConcernKind.MOOD, Urgency.SAME_DAY),
    Review.TWO_BUSINESS_DAYS: Trigger(ConcernKind.MOOD, Urgency.NEXT_BUSINESS_DAY),
}


_DIFFICULTIES = (
    "not difficult at all", "somewhat difficult", "very difficult", "extremely difficult",
)  # fmt: skip


class NoSuchQuestionnaire(NotFound):
    """No questionnaire of ours has that code, or its wording is licensed."""


@dataclass(frozen=True)
class Answered:
    """What a nurse is told of: the answers, and what is ``added`` in words.

    ``form_key`` names the asking, so that the nurse can read every answer; ``concern_key``
    makes what is told twice one concern.
    """

    code: InstrumentCode
    answers: Mapping[int, int]
    form_key: str
    added: str = ""
    concern_key: str | None = None


def instrument_of(session: Session, code: str) -> Instrument:
    """Return the questionnaire with ``code`` that may be asked, or raise NoSuchQuestionnaire."""
    found = next(
        (each for each in licences.askable(session).values() if each.code.value == code), None
    )
    if found is None:
        raise NoSuchQuestionnaire("There is no such questionnaire.")
    return found


def known(session: Session, code: str) -> Instrument:
    """Return a questionnaire of which there may be answers, whether it is still asked or not."""
    of_patients = (each for each in INSTRUMENTS.values() if not each.is_for_staff)
    found = next((each for each in of_patients if each.code.value == code), None)
    if found is None:
        raise NoSuchQuestionnaire("There is no such questionnaire.")
    return licences.askable(session).get(found.code, found)


def begun(
    session: Session,
    patient_id: int,
    code: InstrumentCode,
    *,
    now: datetime,
    is_locked: bool = False,
) -> BegunQuestionnaire | None:
    """Return what was answered lately of a questionnaire that nobody has scored yet."""
    wanted = select(BegunQuestionnaire).where(
        BegunQuestionnaire.patient_id == patient_id,
        BegunQuestionnaire.code == code,
        BegunQuestionnaire.at >= now - RESUMED_WITHIN,
    )
    if is_locked:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.scalar(wanted)


def record(
    session: Session, patient: Patient, row: BegunQuestionnaire, *, actor: Actor, now: datetime
) -> Questionnaire:
    """Keep what was begun, with its score, and raise the concern that it asks for. No commit.

    ``row`` is locked, and ends.
    """
    kept = store(session, patient, row, actor_id=actor.staff_id, taken_at=now, now=now)
    if not is_told(row):
        answered = Answered(row.code, row.given, row.form_key)
        tell_nurse(session, patient, answered, by_staff_id=actor.staff_id, now=now)
    session.delete(row)
    session.flush()
    return kept


def store(
    session: Session,
    patient: Patient,
    row: BegunQuestionnaire,
    *,
    actor_id: int | None,
    taken_at: datetime,
    now: datetime,
) -> Questionnaire:
    """Keep what was begun with its score and total. Does not commit.

    ``taken_at`` is when it was asked; ``actor_id`` who scores it, None: nobody. A key that
    some other questionnaire has already makes way for a new one: nothing given is lost.
    """
    instrument = INSTRUMENTS[row.code]
    result = score(instrument, row.given)
    by_staff_id = row.by_staff_id if actor_id is None else actor_id
    new = {
        "form_key": row.form_key,
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "code": row.code,
        "answers": row.answers,
        "skipped": row.skipped,
        "score": result.value,
        "is_prorated": result.is_prorated,
        "gap": result.gap,
        "at": taken_at,
        "by_staff_id": by_staff_id,
    }
    if not insert_new(session, Questionnaire, [new]):
        new["form_key"] = secrets.token_urlsafe(18)
        insert_new(session, Questionnaire, [new])
    kept = session.scalars(
        select(Questionnaire).where(Questionnaire.form_key == new["form_key"])
    ).one()
    for reading in _totals(instrument, row.given, result, taken_at=taken_at):
        readings.store(
            session,
            patient,
            reading,
            source=row.source,
            attempt_id=None,
            by_staff_id=by_staff_id,
            now=now,
        )
    trail.record(
        session,
        "recorded a questionnaire",
        actor_id=actor_id,
        now=now,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("questionnaire", kept.id),
    )
    return kept


def is_told(row: BegunQuestionnaire) -> bool:
    """Say whether a nurse knows already what is most urgent in these answers."""
    return row.is_told and review_of(INSTRUMENTS[row.code], row.given) is Review.NOW


def of_form(session: Session, patient_id: int, form_key: str) -> Questionnaire | None:
    """Return what the page with ``form_key`` was saved as, if it was."""
    return session.scalar(
        select(Questionnaire).where(
            Questionnaire.form_key == form_key, Questionnaire.patient_id == patient_id
        )
    )


def _totals(
    instrument: Instrument, given: Mapping[int, int], result: Score, *, taken_at: datetime
) -> list[ReportedReading]:
    """Return what stands as readings: the total, or one of each part that was answered.

    An estimated total stays with the questionnaire alone.
    """
    kinds, found = PART_KINDS.get(instrument.code, {}), []
    if result.value is not None and not result.is_prorated and instrument.code in KINDS:
        found.append((KINDS[instrument.code], result.value))
    found += [
        (kinds[each.part.code], each.value)
        for each in part_scores(instrument, given)
        if each.value is not None and each.part.code in kinds
    ]
    return [
        ReportedReading(kind, value, "{score}", taken_at=taken_at, is_time_known=True)
        for kind, value in found
    ]


def tell_nurse(
    session: Session,
    patient: Patient,
    answered: Answered,
    *,
    by_staff_id: int | None,
    now: datetime,
) -> None:
    """Raise the concern that the answers ask for, if they ask for one. Does not commit."""
    instrument = INSTRUMENTS[answered.code]
    trigger = _trigger(instrument, answered.answers)
    if trigger is None:
        return
    words = " ".join(filter(None, (_words(instrument, answered.answers), answered.added)))
    raised = Raised(trigger, words, form_key=answered.concern_key, asking_key=answered.form_key)
    raising.raise_concern(session, patient, raised, by_staff_id=by_staff_id, now=now)


def _trigger(instrument: Instrument, answers: Mapping[int, int]) -> Trigger | None:
    review = review_of(instrument, answers)
    if review in _TRIGGERS:
        return _TRIGGERS[review]
    if score(instrument, answers).gap is Gap.SAFETY_ITEM_MISSING:
        # Not assessed is not the same as no: somebody asks again.
        return Trigger(ConcernKind.MOOD, Urgency.NEXT_BUSINESS_DAY)
    return None


def _words(instrument: Instrument, answers: Mapping[int, int]) -> str:
    """Return what a nurse reads first: 'PHQ-9: 17, moderately severe. Item 9: 1 of 3.'."""
    result = score(instrument, answers)
    words = [
        f"{instrument.name}: no score." if result.value is None else _scored(instrument, result)
    ]
    number = instrument.safety_item
    if number is not None:
        given = answers.get(number)
        words.append(
            f"Item {number} was not answered."
            if given is None
            else f"Item {number}: {given} of {instrument.answers[1]}."
        )
    if instrument.difficulty and instrument.difficulty.number in answers:
        words.append(f"Daily life: {_DIFFICULTIES[answers[instrument.difficulty.number]]}.")
    return " ".join(words)


def _scored(instrument: Instrument, result: Score) -> str:
    estimated = " (estimated: some items have no answer)" if result.is_prorated else ""
    band = f", {result.band}" if result.band else ""
    return f"{instrument.name}: {result.value}{band}{estimated}."
