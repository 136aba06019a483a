"""Keeping a questionnaire as it was answered, and telling a nurse where it asks for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.concerns import raising
from outreach.concerns.raising import Raised
from outreach.concerns.rules import ConcernKind, Trigger, Urgency
from outreach.errors import NotFound, Stale
from outreach.measures import readings
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import MeasureKind, ReadingSource
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
}
# The other way round: which questionnaire's page asks for a measure.
ASKED_BY = {kind.value: instrument.value for instrument, kind in KINDS.items()}
# A questionnaire asks about the last days or weeks: what was begun longer ago begins anew.
RESUMED_WITHIN = timedelta(hours=24)
_TRIGGERS = {
    Review.NOW: Trigger(ConcernKind.SELF_HARM, Urgency.NOW),
    Review.SAME_DAY: Trigger(ConcernKind.MOOD, Urgency.SAME_DAY),
    Review.TWO_BUSINESS_DAYS: Trigger(ConcernKind.MOOD, Urgency.NEXT_BUSINESS_DAY),
}


class NoSuchQuestionnaire(NotFound):
    """No questionnaire of ours has that code, or its wording is licensed."""


class AnsweredOtherwise(Stale):
    """The same page was saved before, with other answers."""


@dataclass(frozen=True)
class Answered:
    """What was answered on one page; ``form_key`` makes a double save one questionnaire."""

    form_key: str
    code: InstrumentCode
    answers: Mapping[int, int]


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
    found = next((each for each in INSTRUMENTS.values() if each.code.value == code), None)
    if found is None:
        raise NoSuchQuestionnaire("There is no such questionnaire.")
    return licences.askable(session).get(found.code, found)


def begun(
    session: Session, patient_id: int, code: InstrumentCode, *, now: datetime
) -> BegunQuestionnaire | None:
    """Return what was answered lately of a questionnaire that nobody has saved yet."""
    return session.scalar(
        select(BegunQuestionnaire).where(
            BegunQuestionnaire.patient_id == patient_id,
            BegunQuestionnaire.code == code,
            BegunQuestionnaire.at >= now - RESUMED_WITHIN,
        )
    )


def keep_begun(
    session: Session, patient: Patient, answered: Answered, *, actor: Actor, now: datetime
) -> bool:
    """Keep what was answered so far; False where the page was saved already. Does not commit.

    A thought of self-harm tells a nurse at once: the line may break before the page is saved.
    """
    instrument = INSTRUMENTS[answered.code]
    is_urgent = review_of(instrument, answered.answers) is Review.NOW
    if of_form(session, patient.id, answered.form_key):
        return False
    owned = {"clinic_id": patient.clinic_id, "patient_id": patient.id, "code": answered.code}
    first = {"form_key": answered.form_key, "answers": {}, "is_told": False}
    author = {"at": now, "by_staff_id": actor.staff_id}
    insert_new(session, BegunQuestionnaire, [{**owned, **first, **author}])
    row = session.scalars(
        select(BegunQuestionnaire)
        .where(
            BegunQuestionnaire.patient_id == patient.id, BegunQuestionnaire.code == answered.code
        )
        .with_for_update()
    ).one()
    was_told = row.is_told and row.form_key == answered.form_key
    row.form_key, row.at, row.by_staff_id = answered.form_key, now, actor.staff_id
    row.answers = {str(number): answer for number, answer in answered.answers.items()}
    row.is_told = was_told or is_urgent
    if is_urgent and not was_told:
        _raise_concern(session, patient, instrument, answered, actor=actor, now=now)
    session.flush()
    return True


def record(
    session: Session, patient: Patient, answered: Answered, *, actor: Actor, now: datetime
) -> Questionnaire:
    """Keep a questionnaire with its score, and raise the concern that it asks for.

    A second time with the same form returns what the first one kept. Does not commit.

    Raises:
        AnsweredOtherwise: the form was saved before, with other answers.
    """
    instrument = INSTRUMENTS[answered.code]
    result = score(instrument, answered.answers)
    is_new = insert_new(
        session, Questionnaire, [_row(patient, answered, result, actor=actor, now=now)]
    )
    kept = session.scalars(
        select(Questionnaire).where(Questionnaire.form_key == answered.form_key)
    ).one()
    if (kept.patient_id, kept.given) != (patient.id, dict(answered.answers)):
        raise AnsweredOtherwise("This page was saved before, with other answers.")
    if is_new:
        was_told = _end_begun(session, patient, answered)
        _keep_total(session, patient, instrument, result, actor=actor, now=now)
        if not (was_told and review_of(instrument, answered.answers) is Review.NOW):
            _raise_concern(session, patient, instrument, answered, actor=actor, now=now)
        trail.record(
            session,
            "recorded a questionnaire",
            actor_id=actor.staff_id,
            now=now,
            clinic_id=patient.clinic_id,
            patient_id=patient.id,
            about=("questionnaire", kept.id),
        )
    return kept


def _end_begun(session: Session, patient: Patient, answered: Answered) -> bool:
    """Forget what was begun; say whether a nurse was told from this very page already."""
    told = session.execute(
        delete(BegunQuestionnaire)
        .where(
            BegunQuestionnaire.patient_id == patient.id, BegunQuestionnaire.code == answered.code
        )
        .returning(BegunQuestionnaire.form_key, BegunQuestionnaire.is_told)
    ).all()
    return any(is_told and form_key == answered.form_key for form_key, is_told in told)


def past(
    session: Session, patient_id: int, code: InstrumentCode, *, limit: int = 5
) -> Sequence[Questionnaire]:
    """Return how a patient answered one questionnaire before, newest first."""
    return session.scalars(
        select(Questionnaire)
        .options(joinedload(Questionnaire.by))
        .where(Questionnaire.patient_id == patient_id, Questionnaire.code == code)
        .order_by(Questionnaire.at.desc(), Questionnaire.id.desc())
        .limit(limit)
    ).all()


def of_form(session: Session, patient_id: int, form_key: str) -> Questionnaire | None:
    """Return what the page with ``form_key`` was saved as, if it was."""
    return session.scalar(
        select(Questionnaire).where(
            Questionnaire.form_key == form_key, Questionnaire.patient_id == patient_id
        )
    )


def _row(
    patient: Patient, answered: Answered, result: Score, *, actor: Actor, now: datetime
) -> dict[str, object]:
    return {
        "form_key": answered.form_key,
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "code": answered.code,
        "answers": {str(number): answer for number, answer in answered.answers.items()},
        "score": result.value,
        "is_prorated": result.is_prorated,
        "gap": result.gap,
        "at": now,
        "by_staff_id": actor.staff_id,
    }


def _keep_total(
    session: Session,
    patient: Patient,
    instrument: Instrument,
    result: Score,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep the total as a reading. An estimated one stays with the questionnaire alone."""
    if result.value is None or result.is_prorated or instrument.code not in KINDS:
        return
    readings.store(
        session,
        patient,
        ReportedReading(
            KINDS[instrument.code], result.value, "{score}", taken_at=now, is_time_known=True
        ),
        source=ReadingSource.CALL,
        attempt_id=None,
        by_staff_id=actor.staff_id,
        now=now,
    )


def _raise_concern(
    session: Session,
    patient: Patient,
    instrument: Instrument,
    answered: Answered,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    trigger = _trigger(instrument, answered.answers)
    if trigger is None:
        return
    raised = Raised(trigger, _words(instrument, answered.answers))
    raising.raise_concern(session, patient, raised, by_staff_id=actor.staff_id, now=now)


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
    return " ".join(words)


def _scored(instrument: Instrument, result: Score) -> str:
    estimated = " (estimated: some items have no answer)" if result.is_prorated else ""
    band = f", {result.band}" if result.band else ""
    return f"{instrument.name}: {result.value}{band}{estimated}."
