"""Programmes as an administrator sees them: versions, who is on them, and new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.errors import RuleBroken, Stale
from outreach.programmes.models import Enrolment, EnrolmentEvent, Programme, ProgrammeVersion
from outreach.programmes.protocol import NoSuchProgramme
from outreach.programmes.rules import OPEN_STATUSES, Protocol
from outreach.programmes.rules.checking import problems
from outreach.programmes.rules.codes import coded, unused
from outreach.sent_again import WITHIN

LONGEST_REASON = 180  # room for the version's number before it in an enrolment's history


class ChangedMeanwhile(Stale):
    """Somebody else published a version of this programme first."""


class NotSane(RuleBroken):
    """The protocol has flaws; :func:`checking.problems` names them."""


class NothingChanged(RuleBroken):
    """The protocol is the one that holds already."""


@dataclass(frozen=True)
class VersionLine:
    """One version, who published it, and how many open enrolments are on it."""

    version: ProgrammeVersion
    by_name: str | None
    enrolled: int


@dataclass(frozen=True)
class Listed:
    """A programme with its versions, the newest first."""

    programme: Programme
    versions: Sequence[VersionLine]

    @property
    def newest(self) -> ProgrammeVersion:
        """The version that new patients begin with."""
        return self.versions[0].version

    @property
    def enrolled(self) -> int:
        """How many open enrolments there are on any version."""
        return sum(line.enrolled for line in self.versions)


@dataclass(frozen=True)
class Publication:
    """What is published, and how. ``seen`` is the newest number when the editor began.

    ``moves_enrolled``: also those enrolled now, from their next call on.
    """

    protocol: Protocol
    seen: int
    reason: str
    moves_enrolled: bool


def all_programmes(session: Session, scope: Scope) -> list[Listed]:
    """Return every programme by name, in one statement; enrolments counted within ``scope``."""
    return _listed(session, scope, None)


def one_programme(session: Session, scope: Scope, code: str) -> Listed:
    """Return the programme with ``code``.

    Raises:
        NoSuchProgramme: there is none.
    """
    found = _listed(session, scope, code)
    if not found:
        raise NoSuchProgramme("There is no such programme.")
    return found[0]


def with_codes(listed: Listed, draft: Protocol) -> Protocol:
    """Return ``draft`` with a code for whatever is new in it."""
    return coded(draft, [line.version.protocol for line in reversed(listed.versions)])


def publish(
    session: Session,
    listed: Listed,
    publication: Publication,
    *,
    by_staff_id: int,
    now: datetime,
) -> ProgrammeVersion:
    """Add a version, and move those enrolled to it where that is wanted. Does not commit.

    Calls that are past or were dialled keep the version they were planned by; a job of the
    scheduler plans the open ones anew: ``refit_changed_versions``.

    Raises:
        ChangedMeanwhile: another version was published since ``publication.seen``.
        NotSane: the protocol has problems.
        NothingChanged: it is the newest version, word for word.
    """
    if listed.newest.number != publication.seen:
        raise ChangedMeanwhile("Somebody else published a new version meanwhile.")
    protocol = with_codes(listed, publication.protocol)
    if problems(protocol):
        raise NotSane("This programme does not make sense yet.")
    if protocol == listed.newest.protocol:
        raise NothingChanged("Nothing was changed.")
    version = ProgrammeVersion(
        programme_id=listed.programme.id,
        number=publication.seen + 1,
        data=protocol.as_data(),
        created_at=now,
        note=publication.reason,
        by_staff_id=by_staff_id,
    )
    _add(session, version)
    if publication.moves_enrolled:
        _move_enrolled(session, version)
    return version


def start(
    session: Session, source: Listed, name: str, *, by_staff_id: int, now: datetime
) -> Programme:
    """Add a programme called ``name`` that begins as ``source`` is now; sent twice, one.

    Does not commit.
    """
    known = _just_started(session, name, by_staff_id=by_staff_id, now=now)
    if known is not None:
        return known
    taken = {code.replace("-", "_") for code in session.scalars(select(Programme.code))}
    programme = Programme(code=unused(name, taken).replace("_", "-"), name=name)
    session.add(programme)
    session.flush()
    session.add(
        ProgrammeVersion(
            programme_id=programme.id,
            number=1,
            data=source.newest.protocol.as_data(),
            created_at=now,
            by_staff_id=by_staff_id,
        )
    )
    session.flush()
    return programme


def _just_started(
    session: Session, name: str, *, by_staff_id: int, now: datetime
) -> Programme | None:
    return session.scalar(
        select(Programme)
        .join(ProgrammeVersion, ProgrammeVersion.programme_id == Programme.id)
        .where(
            Programme.name == name,
            ProgrammeVersion.number == 1,
            ProgrammeVersion.by_staff_id == by_staff_id,
            ProgrammeVersion.created_at > now - WITHIN,
        )
        .limit(1)
    )


def _add(session: Session, version: ProgrammeVersion) -> None:
    """Add a version; of two published at once, the unique number lets one in."""
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError as error:
        raise ChangedMeanwhile("Somebody else published a new version meanwhile.") from error


def _move_enrolled(session: Session, version: ProgrammeVersion) -> None:
    """Move every open enrolment of the programme, and note it in each history."""
    earlier = select(ProgrammeVersion.id).where(
        ProgrammeVersion.programme_id == version.programme_id, ProgrammeVersion.id != version.id
    )
    session.execute(
        update(Enrolment)
        .where(Enrolment.version_id.in_(earlier), Enrolment.status.in_(OPEN_STATUSES))
        .values(version_id=version.id)
        .execution_options(synchronize_session=False)
    )
    columns = "clinic_id patient_id enrolment_id status version_id reason resume_on at by_staff_id"
    # Nobody else can be on this version yet: it is not committed.
    session.execute(
        insert(EnrolmentEvent).from_select(
            columns.split(),
            select(
                Enrolment.clinic_id,
                Enrolment.patient_id,
                Enrolment.id,
                Enrolment.status,
                Enrolment.version_id,
                literal(
                    f"version {version.number}: {version.note}"[:200], EnrolmentEvent.reason.type
                ),
                Enrolment.resume_on,
                literal(version.created_at, EnrolmentEvent.at.type),
                literal(version.by_staff_id, EnrolmentEvent.by_staff_id.type),
            )
            .where(Enrolment.version_id == version.id)
            .order_by(Enrolment.id),
        )
    )


def _listed(session: Session, scope: Scope, code: str | None) -> list[Listed]:
    enrolled = (
        select(Enrolment.version_id, func.count().label("count"))
        .where(Enrolment.status.in_(OPEN_STATUSES), visible_clinics(scope, Enrolment.clinic_id))
        .group_by(Enrolment.version_id)
        .subquery()
    )
    query = (
        select(Programme, ProgrammeVersion, StaffMember.name, func.coalesce(enrolled.c.count, 0))
        .join(ProgrammeVersion, ProgrammeVersion.programme_id == Programme.id)
        .outerjoin(enrolled, enrolled.c.version_id == ProgrammeVersion.id)
        .outerjoin(StaffMember, StaffMember.id == ProgrammeVersion.by_staff_id)
        .order_by(Programme.name, Programme.id, ProgrammeVersion.number.desc())
    )
    if code is not None:
        query = query.where(Programme.code == code)
    found: dict[int, tuple[Programme, list[VersionLine]]] = {}
    for programme, version, by_name, count in session.execute(query):
        lines = found.setdefault(programme.id, (programme, []))[1]
        lines.append(VersionLine(version, by_name, count))
    return [Listed(programme, lines) for programme, lines in found.values()]
