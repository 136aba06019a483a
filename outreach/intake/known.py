"""The clinic's own patients beside those of a file: what differs is said, not taken over.

With one exception: who wants no texts any more gets none, however we learn of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.among import among, among_words
from outreach.intake.rules import IncomingPatient, Note, Problem, Report
from outreach.intake.rules.readings import plain
from outreach.measures.models import Reading
from outreach.patients.models import Anonymised, ConsentEvent, Patient, PhoneNumber
from outreach.patients.registry import anonymised_as
from outreach.patients.rules import Channel
from outreach.programmes.models import Enrolment


@dataclass(frozen=True)
class Known:
    """A patient of the clinic, as far as a file can differ.

    ``texts``: for each number the last word on texts. ``was_enrolled``: now or ever.
    """

    id: int
    ref: str
    given_name: str
    family_name: str
    date_of_birth: date
    language: str
    zone: str
    state: str | None
    phones: frozenset[str]
    texts: Mapping[str, bool]
    was_enrolled: bool

    def numbers_to_withdraw(self, incoming: IncomingPatient) -> list[str]:
        """Return the numbers to which the file's 'no' to texts is news: it is a person's no."""
        if incoming.is_text_agreed is not False:
            return []
        return sorted(number for number in self.phones if self.texts.get(number) is not False)


def find(session: Session, clinic_id: int, batch: Sequence[IncomingPatient]) -> dict[str, Known]:
    """Return those of ``batch`` whom the clinic has, by record number. In four statements."""
    record_numbers = [each.record_number for each in batch]
    rows = session.execute(
        select(
            Patient.record_number,
            Patient.id,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.date_of_birth,
            Patient.language,
            Patient.zone,
            Patient.state,
        )
        .where(Patient.clinic_id == clinic_id, Patient.record_number.in_(record_numbers))
        .order_by(Patient.id)
    ).all()
    ids = [row.id for row in rows]
    phones, texts = _phones(session, ids), _texts(session, ids)
    enrolled = _ever_enrolled(session, ids)
    return {
        row.record_number: Known(
            *row[1:],
            phones=frozenset(phones[row.id]),
            texts=texts[row.id],
            was_enrolled=row.id in enrolled,
        )
        for row in rows
    }


def removed(session: Session, clinic_id: int, batch: Sequence[IncomingPatient]) -> set[str]:
    """Return the record numbers of ``batch`` whose patients the clinic had, and anonymised.

    Their numbers are not kept, only what tells them again.
    """
    by_hash = {anonymised_as(each.record_number): each.record_number for each in batch}
    gone = session.scalars(
        select(Anonymised.record_hash).where(
            Anonymised.clinic_id == clinic_id, among_words(Anonymised.record_hash, sorted(by_hash))
        )
    )
    return {by_hash[each] for each in gone if each}


def is_removed(incoming: IncomingPatient, gone: Collection[str], report: Report) -> bool:
    """Say whether somebody was anonymised, and must not come back with the next file."""
    if incoming.record_number not in gone:
        return False
    reason = (
        "was anonymised here and is not brought back; if they take part again, "
        "give them a new record number"
    )
    report.add(Problem(incoming.line, "mrn", reason, incoming.file))
    return True


def is_refused(incoming: IncomingPatient, have: Known | None, report: Report) -> bool:
    """Say whether the record number is somebody else's; note what differs otherwise."""
    if have is None:
        return False
    is_other_name = have.family_name.casefold() != incoming.family_name.casefold()
    if is_other_name and have.date_of_birth != incoming.date_of_birth:
        reason = (
            f"record number {incoming.record_number} already belongs to somebody else; "
            "check the number"
        )
        report.add(Problem(incoming.line, "mrn", reason, incoming.file))
        return True
    for field, reason in _remarks(incoming, have):
        report.add(Note(incoming.line, field, reason, incoming.file))
    return False


def note_corrected(
    session: Session, taken: Sequence[IncomingPatient], known: Mapping[str, Known], report: Report
) -> None:
    """Note each reading that we have of which a file tells a correction: a person makes it here.

    It is not made by itself: files do not say in which order they are to be believed, and what
    a nurse corrected here must stand.
    """
    told = {
        (have.id, reading.key): (each, reading)
        for each in taken
        if (have := known.get(each.record_number))
        for reading in each.readings
        if reading.is_corrected
    }
    for place, last in _last_words(session, {patient_id for patient_id, _key in told}):
        if place not in told:
            continue
        each, reading = told[place]
        is_so = (last.value, last.taken_at) == (reading.value, reading.taken_at(each.zone))
        if last.is_void or not is_so:
            reason = (
                f"was corrected to {plain(reading.value)} where it comes from; ours was not "
                "changed, correct it on the patient's page"
            )
            report.add(Note(each.line, f"Observation {reading.kind.value}", reason, each.file))


def _last_words(
    session: Session, patient_ids: Collection[int]
) -> Iterator[tuple[tuple[int, str], Reading]]:
    """Yield (patient id, key) of what was brought in, with what stands in its place now."""
    if not patient_ids:
        return
    found = session.scalars(
        select(Reading).where(among(Reading.patient_id, sorted(patient_ids))).order_by(Reading.id)
    ).all()
    instead = {each.supersedes_id: each for each in found}
    for reading in found:
        if reading.external_key is None:
            continue
        last = reading
        while last.id in instead:
            last = instead[last.id]
        yield (reading.patient_id, reading.external_key), last


def _remarks(incoming: IncomingPatient, have: Known) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for all that a file says of somebody we have, and is not so here."""
    ours = (have.given_name.casefold(), have.family_name.casefold())
    differing = {
        "name": ours != (incoming.given_name.casefold(), incoming.family_name.casefold()),
        "date of birth": have.date_of_birth != incoming.date_of_birth,
        "phone": not have.phones.issuperset(incoming.phones),
        "language": have.language != incoming.language,
        "time zone": have.zone != incoming.zone,
    }
    for field, differs in differing.items():
        if differs:
            yield field, "differs from what we have; not changed"
    if have.numbers_to_withdraw(incoming):
        yield "consent to texts", "is no; texts stop"
    if incoming.is_text_agreed and not any(map(have.texts.get, incoming.phones[:1])):
        yield (
            "consent to texts",
            "is yes, which a file can't say of somebody we have; ask, and note it on their page",
        )
    if incoming.enrolled_on and not have.was_enrolled:
        yield "enrolled_on", "not enrolled, as we have this patient already; use their page"


def _phones(session: Session, ids: Sequence[int]) -> Mapping[int, set[str]]:
    phones: dict[int, set[str]] = defaultdict(set)
    for patient_id, e164 in session.execute(
        select(PhoneNumber.patient_id, PhoneNumber.e164)
        .where(PhoneNumber.patient_id.in_(ids))
        .order_by(PhoneNumber.id)
    ):
        phones[patient_id].add(e164)
    return phones


def _texts(session: Session, ids: Sequence[int]) -> Mapping[int, dict[str, bool]]:
    """Return the last word on texts by patient and number."""
    texts: dict[int, dict[str, bool]] = defaultdict(dict)
    for patient_id, number, is_given in session.execute(
        select(ConsentEvent.patient_id, ConsentEvent.number, ConsentEvent.is_given)
        .where(ConsentEvent.patient_id.in_(ids), ConsentEvent.channel == Channel.SMS)
        .order_by(ConsentEvent.id)
    ):
        texts[patient_id][number] = is_given
    return texts


def _ever_enrolled(session: Session, ids: Sequence[int]) -> frozenset[int]:
    return frozenset(
        session.scalars(
            select(Enrolment.patient_id)
            .where(Enrolment.patient_id.in_(ids))
            .distinct()
            .order_by(Enrolment.patient_id)
        )
    )
