"""The directory of a clinic: its patients' names in their order, encrypted as a whole.

A process opens the pages of a clinic once and remembers them by their version. Whose names were
written since stands in ``directory_change`` without any name, is read of the patient, and
remembered by the token of that change: what is rolled back is never met again. Nothing here has
to be told of a change, as triggers note each. :func:`fold` writes pages that say all of it.
"""

import heapq
import logging
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import delete, exists, func, insert, literal, select, union_all
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.among import among
from outreach.encryption import CannotDecrypt
from outreach.patients.models import Anonymised, Patient
from outreach.searching.models import DirectoryChange, DirectoryPage
from outreach.searching.names import By, Entry, Mark, Names, packed, unpacked
from outreach.searching.rules import Term

log = logging.getLogger(__name__)

MANY = 200  # changes that are read of the patients one by one before pages are written anew
_LOCK = 7_102_331_505  # of folding
_VERSIONS = 2**62

Tokens = Mapping[int, int]  # of changes, by patient


@dataclass(frozen=True)
class _Opened:
    """What a process remembers of a clinic: pages of a version, and changes behind them."""

    version: int
    pages: Names
    changes: Mapping[tuple[int, int], Entry | None] = field(default_factory=dict)
    names: Names = field(default_factory=Names)


_remembered: dict[int, _Opened] = {}  # by clinic


class Directory:
    """The names of the patients of some clinics, opened when they are first asked for.

    As they are in the transaction of ``session`` at that moment.
    """

    def __init__(self, session: Session, clinic_ids: Collection[int]) -> None:
        self._session, self._clinic_ids = session, clinic_ids

    def having(self, term: Term) -> set[int]:
        """Return the patients in whose names the words of ``term`` stand one behind the other."""
        return set().union(*(names.having(term) for names in self._opened))

    def in_order(
        self, by: By, behind_id: int | None = None, *, is_turned: bool = False
    ) -> Iterator[int]:
        """Yield the patients in their order, those who come later than ``behind_id``."""
        behind = None if behind_id is None else self._mark_of(behind_id, by)
        walks = (names.in_order(by, behind, is_turned=is_turned) for names in self._opened)
        return (patient_id for _key, patient_id in heapq.merge(*walks, reverse=is_turned))

    def sorted(self, patient_ids: Iterable[int], by: By, *, is_turned: bool = False) -> list[int]:
        """Return these patients in their order."""
        return sorted(patient_ids, key=lambda each: self._mark_of(each, by), reverse=is_turned)

    def behind(
        self, patient_ids: Sequence[int], behind_id: int, by: By, *, is_turned: bool = False
    ) -> list[int]:
        """Return those of ``patient_ids`` who come later than ``behind_id``."""
        mark = self._mark_of(behind_id, by)
        return [each for each in patient_ids if is_turned is (self._mark_of(each, by) < mark)
                and each != behind_id]  # fmt: skip

    def _mark_of(self, patient_id: int, by: By) -> Mark:
        for names in self._opened:
            if mark := names.mark_of(patient_id, by):
                return mark
        return "", patient_id  # added since: they come first, and are not lost

    @cached_property
    def _opened(self) -> Sequence[Names]:
        return list(_open(self._session, self._clinic_ids).values())


def to_fold(session: Session, *, most: int = MANY) -> Sequence[int]:
    """Return the clinics whose pages are to be written anew.

    Those without any; those with ``most`` changes; and those of which a page may still say who
    somebody was who is anonymised.
    """
    change, gone = DirectoryChange, Anonymised
    has_pages = exists().where(DirectoryPage.clinic_id == Clinic.id)
    many = select(change.clinic_id).group_by(change.clinic_id).having(func.count() >= most)
    erased = select(change.clinic_id).join(gone, gone.patient_id == change.patient_id)
    is_due = ~has_pages | Clinic.id.in_(many) | Clinic.id.in_(erased)
    return session.scalars(select(Clinic.id).where(is_due).order_by(Clinic.id)).all()


def fold(session: Session, clinic_id: int, *, is_anew: bool = False) -> int:
    """Write a clinic's pages anew, with all that was changed; return how many patients.

    Does not commit. It waits for nobody who writes: a patient whom somebody is just renaming
    stays noted as changed.

    Args:
        is_anew: read everybody of the patients, whatever the pages say.
    """
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    of_clinic = DirectoryChange.clinic_id == clinic_id
    seen = select(DirectoryChange.patient_id).where(of_clinic).with_for_update(skip_locked=True)
    changed = session.scalars(seen.order_by(DirectoryChange.patient_id)).all()
    opened = None if is_anew else _pages(session, [clinic_id]).get(clinic_id)
    if opened is None:
        names = _of_patients(session, [clinic_id])[clinic_id]
    else:
        names = opened.pages.changed(_entries(session, clinic_id, changed))
    _write(session, clinic_id, names)
    session.execute(delete(DirectoryChange).where(among(DirectoryChange.patient_id, changed)))
    return len(names)


def fold_all(session: Session) -> int:
    """Write the pages of every clinic from its patients; return how many. Does not commit."""
    clinic_ids = session.scalars(select(Clinic.id).order_by(Clinic.id)).all()
    return sum(fold(session, each, is_anew=True) for each in clinic_ids)


def differing(session: Session) -> list[int]:
    """Return the patients of whom the directories say something else than their records."""
    found: set[int] = set()
    for clinic_id in session.scalars(select(Clinic.id).order_by(Clinic.id)).all():
        kept = set(_open(session, [clinic_id]).get(clinic_id, ()))
        true = set(_of_patients(session, [clinic_id])[clinic_id])
        found |= {entry.patient_id for entry in kept ^ true}
    return sorted(found)


def _open(session: Session, clinic_ids: Collection[int]) -> dict[int, Names]:
    """Return the names of each clinic; two statements more for whose names are not known yet."""
    versions, changes = _state(session, clinic_ids)
    known = {each: _remembered[each] for each in versions if each in _remembered}
    known = {each: opened for each, opened in known.items() if opened.version == versions[each]}
    new = versions.keys() - known.keys()
    if new:
        known |= _pages(session, new)
    for clinic_id, opened in known.items():
        known[clinic_id] = _followed(session, clinic_id, opened, changes[clinic_id])
    _remembered.update(known)
    found = {clinic_id: opened.names for clinic_id, opened in known.items()}
    # Without pages it is not remembered: who read it may still take back what they wrote.
    lacking = set(clinic_ids) - known.keys()
    return found | (_of_patients(session, sorted(lacking)) if lacking else {})


def _state(
    session: Session, clinic_ids: Collection[int]
) -> tuple[dict[int, int], dict[int, dict[int, int]]]:
    """Return the version of each clinic's pages, and the tokens of what changed since."""
    page, change = DirectoryPage, DirectoryChange
    ids = sorted(clinic_ids)
    rows = union_all(
        select(page.clinic_id, literal(0), page.version).where(
            among(page.clinic_id, ids), page.number == 0
        ),
        select(change.clinic_id, change.patient_id, change.token).where(
            among(change.clinic_id, ids)
        ),
    )
    versions: dict[int, int] = {}
    changes: dict[int, dict[int, int]] = defaultdict(dict)
    for clinic_id, patient_id, number in session.execute(rows):
        if patient_id:
            changes[clinic_id][patient_id] = number
        else:
            versions[clinic_id] = number
    return versions, changes


def _followed(session: Session, clinic_id: int, opened: _Opened, tokens: Tokens) -> _Opened:
    """Return ``opened`` with the changes of ``tokens`` and no others."""
    if opened.changes.keys() == tokens.items():
        return opened
    kept = {each: opened.changes[each] for each in tokens.items() if each in opened.changes}
    unread = [patient_id for patient_id, token in tokens.items() if (patient_id, token) not in kept]
    read = _entries(session, clinic_id, unread) if unread else {}
    changes = kept | {(patient_id, tokens[patient_id]): read[patient_id] for patient_id in unread}
    names = opened.pages.changed({patient_id: entry for (patient_id, _), entry in changes.items()})
    return _Opened(opened.version, opened.pages, changes, names)


def _pages(session: Session, clinic_ids: Collection[int]) -> dict[int, _Opened]:
    """Return what the pages of some clinics say, but of those whose pages can't be read."""
    page = DirectoryPage
    found: dict[int, dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    query = select(page.clinic_id, page.version, page.names).order_by(page.clinic_id, page.number)
    try:
        for clinic_id, version, content in session.execute(
            query.where(among(page.clinic_id, sorted(clinic_ids)))
        ):
            found[clinic_id][version].append(content)
    except CannotDecrypt:
        log.error("a directory can't be decrypted: 'patient-list rebuild' mends it")  # noqa: TRY400 - the same line each time
        return {}
    return {
        clinic_id: _Opened(version, names, names=names)
        for clinic_id, versions in found.items()
        for version, pages in versions.items()
        if (names := unpacked(pages, clinic_id, version)) is not None
    }


_NAMED = (
    Patient.id,
    Patient.given_name,
    Patient.family_name,
    Patient.preferred_name,
    Patient.record_number,
)


def _entries(session: Session, clinic_id: int, ids: Sequence[int]) -> dict[int, Entry | None]:
    """Return the entries of these patients, None of who is not of the clinic."""
    rows = session.execute(
        select(*_NAMED).where(Patient.clinic_id == clinic_id, among(Patient.id, ids))
    )
    return dict.fromkeys(ids) | {row.id: Entry.of(*row) for row in rows}


def _of_patients(session: Session, clinic_ids: Sequence[int]) -> dict[int, Names]:
    """Return the names of these clinics as their patients have them; a second for 20,000."""
    found: dict[int, list[Entry]] = {clinic_id: [] for clinic_id in clinic_ids}
    query = select(Patient.clinic_id, *_NAMED).where(among(Patient.clinic_id, clinic_ids))
    for row in session.execute(query):
        found[row.clinic_id].append(Entry.of(*row[1:]))
    return {clinic_id: Names(entries) for clinic_id, entries in found.items()}


def _write(session: Session, clinic_id: int, names: Names) -> None:
    version = secrets.randbelow(_VERSIONS)
    session.execute(delete(DirectoryPage).where(DirectoryPage.clinic_id == clinic_id))
    for number, content in enumerate(packed(names, clinic_id, version)):
        theirs = {"clinic_id": clinic_id, "number": number, "version": version}
        session.execute(insert(DirectoryPage).values(names=content, **theirs))
