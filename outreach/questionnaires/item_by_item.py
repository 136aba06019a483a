"""A questionnaire asked on a call, one item after the other; every answer is kept as it is given.

What was answered lies in the row of ``BegunQuestionnaire``. Answers are put into it one by one,
so that two tabs, or an answer that arrives late, never take back another.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach import absent
from outreach.accounts.rules import Actor
from outreach.built_once import built_once
from outreach.concerns import raising
from outreach.errors import Stale
from outreach.measures.rules import ReadingSource
from outreach.orm import insert_new
from outreach.patients.models import Patient
from outreach.questionnaires import asking, ending, licences
from outreach.questionnaires.asking import RESUMED_WITHIN, Answered
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire, by_text
from outreach.questionnaires.rules import (
    INSTRUMENTS,
    Gap,
    Instrument,
    InstrumentCode,
    PartScore,
    Review,
    Skip,
    asks_for,
    first_open,
    next_to_ask,
    part_scores,
    profile,
    review_of,
    score,
)

LATE = "late:"  # how the key of the concern that an answer after the score raises begins


class NothingAnswered(Stale):
    """Nothing was answered lately, so that there is nothing to score."""


class KeptAlready(Stale):
    """The questionnaire was scored before this answer arrived; ``form_key`` finds it.

    ``is_urgent``: a nurse was told, by the score or by this answer. The telling is to be
    committed.
    """

    def __init__(self, form_key: str, *, is_urgent: bool) -> None:
        super().__init__("This questionnaire was scored already.")
        self.form_key, self.is_urgent = form_key, is_urgent


@dataclass(frozen=True)
class Said:
    """What was said to items of one questionnaire: answers, and why there are none.

    ``form_key`` names the asking; ``after`` the PHQ-2 whose answers a PHQ-9 takes over.
    """

    form_key: str
    answers: Mapping[int, int] = field(default_factory=dict)
    skips: Mapping[int, Skip] = field(default_factory=dict)
    after: str = ""


@dataclass(frozen=True)
class Panel:
    """A questionnaire as the call screen shows it.

    ``number`` is the item at hand, None once all were asked. ``result`` is what it was scored
    as; ``follows`` the whole questionnaire that a positive screener asks for; ``is_told_late``:
    a thought of self-harm was said after the score.
    """

    instrument: Instrument
    form_key: str
    after: str
    given: Mapping[int, int]
    skipped: Mapping[int, Skip]
    number: int | None
    result: Questionnaire | None = None
    follows: Instrument | None = None
    is_told_late: bool = False

    @property
    def review(self) -> Review | None:
        """How soon somebody must look at what was answered."""
        return Review.NOW if self.is_told_late else review_of(self.instrument, self.given)

    @property
    def parts(self) -> Sequence[PartScore]:
        """What was scored of each part, for a questionnaire that has some."""
        return part_scores(self.instrument, self.given) if self.result is not None else ()

    @property
    def profile(self) -> str | None:
        """The answers side by side, for a questionnaire that has no score of its own."""
        is_profile = self.result is not None and self.result.gap is Gap.NO_INDEX
        return profile(self.instrument, self.given) if is_profile else None


def begun_of(
    session: Session, patient_id: int, *, now: datetime
) -> Mapping[InstrumentCode, BegunQuestionnaire]:
    """Return what was begun lately and not scored yet, by questionnaire."""
    if absent.is_known(session, BegunQuestionnaire.patient_id, patient_id):
        return {}
    rows = session.scalars(*_begun_since(patient_id, now - RESUMED_WITHIN))
    return {row.code: row for row in rows}


@built_once
def _begun_since(patient_id: Any, since: Any) -> Select[BegunQuestionnaire]:
    return (
        select(BegunQuestionnaire)
        .where(BegunQuestionnaire.patient_id == patient_id, BegunQuestionnaire.at >= since)
        .order_by(BegunQuestionnaire.id)  # whoever locks them takes them in this order
    )


def panel_of(
    session: Session, patient: Patient, code: str, *, item: int | None, after: str, now: datetime
) -> Panel:
    """Return a questionnaire where asking goes on: at ``item``, else at the first open one.

    Raises:
        NoSuchQuestionnaire: it does not exist, or may not be asked.
    """
    instrument = asking.instrument_of(session, code)
    left = asking.begun(session, patient.id, instrument.code, now=now)
    given = left.given if left else _carried(session, patient, instrument.code, after)
    skipped = left.why_skipped if left else {}
    numbers = {each.number for each in instrument.asked_after(given)}
    return Panel(
        instrument=instrument,
        form_key=left.form_key if left else secrets.token_urlsafe(18),
        after="" if left else after,
        given=given,
        skipped=skipped,
        number=item if item in numbers else next_to_ask(instrument, given, skipped),
    )


def named(
    session: Session, patient: Patient, code: str, names: Mapping[str, str], *, now: datetime
) -> Panel:
    """Return what an address names: a score (``done``), or an ``item``, or where asking goes on.

    Raises:
        NoSuchQuestionnaire: there is none, or it may not be asked.
    """
    if names.get("done"):
        return result_of(session, patient, code, names["done"])
    number, after = names.get("item", ""), names.get("after", "")
    item = int(number) if number.isdecimal() else None
    return panel_of(session, patient, code, item=item, after=after, now=now)


def result_of(session: Session, patient: Patient, code: str, form_key: str) -> Panel:
    """Return a questionnaire that was scored, as the call screen shows it.

    Raises:
        NoSuchQuestionnaire: there is none with this key.
    """
    instrument = asking.known(session, code)
    found = asking.of_form(session, patient.id, form_key)
    if found is None or found.code is not instrument.code:
        raise asking.NoSuchQuestionnaire("There is no such questionnaire.")
    follows = asks_for(found.code, found.score)
    return Panel(
        instrument=instrument,
        form_key=form_key,
        after="",
        given=found.given,
        skipped=found.why_skipped,
        number=None,
        result=found,
        follows=licences.askable(session).get(follows) if follows else None,
        is_told_late=raising.is_raised(session, patient.id, _late_key(form_key)),
    )


def keep(
    session: Session,
    patient: Patient,
    instrument: Instrument,
    said: Said,
    *,
    actor: Actor,
    source: ReadingSource = ReadingSource.CALL,
    now: datetime,
) -> BegunQuestionnaire:
    """Put what was said to some items beside what is kept of the others. Does not commit.

    A thought of self-harm tells a nurse at once: the line may break before the end.

    Raises:
        KeptAlready: this asking was scored before. A thought of self-harm is told even so.
        ValueError: no item of this questionnaire has such an answer.
    """
    score(instrument, said.answers)
    if not {*said.skips} <= {item.number for item in instrument.every_item}:
        raise ValueError(f"{instrument.name} has no such item")
    row = _row_of(session, patient, instrument, said, actor=actor, now=now)
    given = {**row.given, **said.answers}
    answers = {n: answer for n, answer in given.items() if n not in said.skips}
    skipped = {**row.why_skipped, **said.skips}
    row.answers = by_text(answers)
    row.skipped = by_text({n: why for n, why in skipped.items() if n not in said.answers})
    row.at, row.by_staff_id, row.source = now, actor.staff_id, source
    if review_of(instrument, answers) is Review.NOW and not row.is_told:
        row.is_told = True
        answered = Answered(instrument.code, answers, row.form_key)
        asking.tell_nurse(session, patient, answered, by_staff_id=actor.staff_id, now=now)
    session.flush()
    return row


def skip_the_rest(
    session: Session, instrument: Instrument, row: BegunQuestionnaire, why: Skip
) -> None:
    """Note of every item that is open why it has no answer. Does not commit."""
    seen = {*row.given, *row.why_skipped}
    asked = instrument.asked_after(row.given)
    rest = {item.number: why for item in asked if item.number not in seen}
    row.skipped = {**row.skipped, **by_text(rest)}
    session.flush()


def finish(
    session: Session,
    patient: Patient,
    instrument: Instrument,
    form_key: str,
    *,
    actor: Actor,
    now: datetime,
) -> Questionnaire:
    """Score what was answered. A second time returns what the first kept. Does not commit.

    Raises:
        NothingAnswered: nothing was answered lately.
    """
    known = asking.of_form(session, patient.id, form_key)
    if known is not None:
        return known
    row = asking.begun(session, patient.id, instrument.code, now=now, is_locked=True)
    if row is not None:
        return asking.record(session, patient, row, actor=actor, now=now)
    known = asking.of_form(session, patient.id, form_key)  # scored in another tab meanwhile
    if known is None:
        raise NothingAnswered("Nothing was answered yet.")
    return known


def finish_whole(
    session: Session, patient: Patient, *, actor: Actor, now: datetime
) -> Sequence[Questionnaire]:
    """Score what a call asked to its end and left so, as it is saved. Does not commit.

    What somebody asks outside a call is theirs to score.
    """
    scored = []
    for code in begun_of(session, patient.id, now=now):
        row = asking.begun(session, patient.id, code, now=now, is_locked=True)
        if row is None or row.source is not ReadingSource.CALL:
            continue
        if first_open(INSTRUMENTS[code], {*row.given, *row.why_skipped}) is None:
            scored.append(asking.record(session, patient, row, actor=actor, now=now))
    return scored


def _row_of(
    session: Session,
    patient: Patient,
    instrument: Instrument,
    said: Said,
    *,
    actor: Actor,
    now: datetime,
) -> BegunQuestionnaire:
    """Return the row of this asking, locked; a new one where nothing was begun lately."""
    _refuse_scored(session, patient, instrument, said, actor=actor, now=now)
    ending.end_expired(session, patient, instrument.code, now=now)
    carried = _carried(session, patient, instrument.code, said.after)
    new = {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "code": instrument.code,
        "form_key": said.form_key,
        "answers": by_text(carried),
        "skipped": {},
        "is_told": False,
        "at": now,
        "by_staff_id": actor.staff_id,
    }
    for _time in range(2):  # between the two statements another tab may score the row that is there
        insert_new(session, BegunQuestionnaire, [new])
        row = asking.begun(session, patient.id, instrument.code, now=now, is_locked=True)
        if row is not None:
            break
    else:
        raise Stale("Other tabs scored this questionnaire just now.")
    if row.form_key == said.form_key and asking.of_form(session, patient.id, said.form_key):
        session.delete(row)  # scored while we waited for the lock: nothing is begun any more
        session.flush()
        _refuse_scored(session, patient, instrument, said, actor=actor, now=now)
    return row


def _refuse_scored(
    session: Session,
    patient: Patient,
    instrument: Instrument,
    said: Said,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    scored = asking.of_form(session, patient.id, said.form_key)
    if scored is not None:
        is_urgent = _tell_late(session, patient, instrument, scored, said, actor=actor, now=now)
        raise KeptAlready(said.form_key, is_urgent=is_urgent)


def _tell_late(
    session: Session,
    patient: Patient,
    instrument: Instrument,
    scored: Questionnaire,
    said: Said,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Tell a nurse of self-harm that was said after the score, once; say whether one is told.

    The score stays as it is: what was said then is no answer of that asking.
    """
    is_told = review_of(instrument, scored.given) is Review.NOW
    if is_told or review_of(instrument, said.answers) is not Review.NOW:
        return is_told or raising.is_raised(session, patient.id, _late_key(said.form_key))
    late = Answered(
        instrument.code,
        {**scored.given, **said.answers},
        said.form_key,
        added="Said after it was scored.",
        concern_key=_late_key(said.form_key),
    )
    asking.tell_nurse(session, patient, late, by_staff_id=actor.staff_id, now=now)
    return True


def _late_key(form_key: str) -> str:
    """Return the key of the concern that an answer after the score raises, of 40 characters."""
    return f"{LATE}{hashlib.sha256(form_key.encode()).hexdigest()[:35]}"


def _carried(
    session: Session, patient: Patient, code: InstrumentCode, after: str
) -> Mapping[int, int]:
    """Return the answers to a PHQ-2 that a PHQ-9 begins with."""
    before = asking.of_form(session, patient.id, after) if after else None
    is_carried = before is not None and (before.code, code) == (
        InstrumentCode.PHQ_2,
        InstrumentCode.PHQ_9,
    )
    return before.given if before and is_carried else {}
