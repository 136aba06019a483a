"""Clinics and staff: adding them, and looking them up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
from argon2 import PasswordHasher
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from outreach.accounts import passwords
from outreach.accounts.models import Clinic, Language, Membership, StaffMember
from outreach.accounts.rules import Actor, Held, Role, Scope, in_order_of_names, language_code
from outreach.accounts.scoping import visible_clinics
from outreach.accounts.sign_in import has_email
from outreach.audit import trail
from outreach.errors import NotFound, RuleBroken


class NoSuchClinic(NotFound):
    """No clinic has that code."""


class AlreadyThere(RuleBroken):
    """The address belongs to somebody."""


class NoNumber(RuleBroken):
    """A telephone number is none, or lacks its country."""


class UnknownLanguage(RuleBroken):
    """Not the code of a language."""


@dataclass(frozen=True)
class NewStaff:
    """What is needed to add somebody. ``clinic`` None: at every clinic."""

    email: str
    name: str
    role: Role
    clinic: Clinic | None
    zone: str
    languages: tuple[str, ...] = ("en",)
    locale: str = "en"


def add(
    session: Session,
    new: NewStaff,
    password: str,
    hasher: PasswordHasher,
    *,
    by_staff_id: int | None,
    now: datetime,
    breached_list: Path | None = None,
) -> StaffMember:
    """Add somebody with one role and a password. Does not commit.

    ``by_staff_id``: as :func:`add_invited`.

    Raises:
        RuleBroken: the password must not be chosen, see :func:`passwords.check`; or as
            :func:`add_invited`.
    """
    known = (new.email, new.name, new.clinic.name if new.clinic else "")
    passwords.check(password, known, breached_list=breached_list)
    person = add_invited(session, new, by_staff_id=by_staff_id, now=now)
    person.password_hash = passwords.hashed(password, hasher)
    return person


def add_invited(
    session: Session, new: NewStaff, *, by_staff_id: int | None, now: datetime
) -> StaffMember:
    """Add somebody with one role, who sets a password by a link. Does not commit.

    ``by_staff_id``: who adds them; None: a command. Account and role are in the audit trail, as a
    role that is given later is: a new account is the shortest way to more power.

    Raises:
        AlreadyThere: somebody has this address.
        UnknownLanguage: one of ``new.languages`` is no code of a language.
    """
    languages = [_code_of(language) for language in new.languages]
    email = new.email.strip().lower()
    if session.scalar(select(StaffMember.id).where(has_email(email))) is not None:
        raise AlreadyThere("Somebody has this e-mail address already.")
    person = StaffMember(
        email=email,
        name=new.name,
        locale=new.locale,
        zone=new.zone,
        password_hash=passwords.NOT_SET,
        has_shortcuts=True,
        is_active=True,
        created_at=now,
    )
    session.add(person)
    session.flush()
    session.add(
        Membership(
            staff_id=person.id,
            clinic_id=new.clinic.id if new.clinic else None,
            role=new.role,
            from_on=now.date(),
        )
    )
    for spoken in dict.fromkeys(languages):
        session.add(Language(staff_id=person.id, language=spoken))
    _note_added(session, person.id, new, by_staff_id=by_staff_id, now=now)
    return person


def _note_added(
    session: Session, staff_id: int, new: NewStaff, *, by_staff_id: int | None, now: datetime
) -> None:
    how = " by command" if by_staff_id is None else ""
    for action in ("added account", f"gave role {new.role.value}"):
        trail.record(
            session,
            f"{action}{how}",
            actor_id=by_staff_id,
            now=now,
            clinic_id=new.clinic.id if new.clinic else None,
            about=("staff_member", staff_id),
        )


def actor(session: Session, staff_id: int, *, now: datetime) -> Actor | None:
    """Return somebody with the roles they hold at ``now``; None where they hold none any more.

    For work that is done in their name while they are away.
    """
    rows = session.execute(
        select(StaffMember, Membership.role, Membership.clinic_id)
        .join(Membership, Membership.staff_id == StaffMember.id)
        .where(
            StaffMember.id == staff_id,
            StaffMember.is_active.is_(True),
            Membership.from_on <= now.date(),
            or_(Membership.until_on.is_(None), Membership.until_on > now.date()),
        )
        .order_by(Membership.id)
    ).all()
    if not rows:
        return None
    person = rows[0].StaffMember
    held = tuple(Held(row.role, row.clinic_id) for row in rows)
    return Actor(person.id, person.name, person.locale, person.zone, held, now)


def add_clinic(session: Session, code: str, name: str, zone: ZoneInfo, phone: str) -> Clinic:
    """Add a clinic with the default contact hours, 9 to 20. Does not commit.

    Source of the hours: domain.md D, default window.

    Raises:
        AlreadyThere: another clinic has the code.
        NoNumber: ``phone`` is none with its country.
    """
    if session.scalar(select(Clinic.id).where(Clinic.code == code)) is not None:
        raise AlreadyThere(f"There is a clinic with the code {code} already.")
    clinic = Clinic(
        code=code,
        name=name,
        zone=zone.key,
        region="US",
        phone_number=_in_one_form(phone),
        opens=time(9),
        closes=time(20),
        glucose_unit="mg/dL",
    )
    session.add(clinic)
    return clinic


def _in_one_form(phone: str) -> str:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise NoNumber(f"{phone!r} is no number as +15125550100.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def clinic_by_code(session: Session, code: str) -> Clinic:
    """Return the clinic with ``code``, or raise NoSuchClinic."""
    clinic = session.scalar(select(Clinic).where(Clinic.code == code))
    if clinic is None:
        raise NoSuchClinic(f"No clinic has the code {code!r}.")
    return clinic


def clinics_in(session: Session, scope: Scope) -> Sequence[Clinic]:
    """Return the clinics whose whole work is in ``scope``, by name."""
    return session.scalars(
        select(Clinic).where(visible_clinics(scope, Clinic.id)).order_by(Clinic.name, Clinic.id)
    ).all()


def clinic_in(session: Session, scope: Scope, code: str | None) -> Clinic:
    """Return the clinic with ``code``, or the first in scope when none is named.

    Raises:
        NoSuchClinic: it is outside ``scope``, which is as good as not there.
    """
    for clinic in clinics_in(session, scope):
        if code in (None, "", clinic.code):
            return clinic
    raise NoSuchClinic("No such clinic.")


def callers_of(session: Session, clinic_id: int, *, on: date) -> Sequence[StaffMember]:
    """Return the active callers of a clinic on a day, by name."""
    found = session.scalars(
        select(StaffMember)
        .join(Membership)
        .where(
            Membership.clinic_id == clinic_id,
            Membership.role == Role.CALLER,
            Membership.from_on <= on,
            (Membership.until_on.is_(None)) | (Membership.until_on > on),
            StaffMember.is_active.is_(True),
        )
    )
    return sorted(found, key=lambda person: in_order_of_names(person.name, person.id))


def called(session: Session, text: str) -> list[int]:
    """Return those whose name has ``text`` in it, whatever the case, or whose address it is."""
    sought = text.strip().casefold()
    rows = session.execute(select(StaffMember.id, StaffMember.name).order_by(StaffMember.id))
    found = [staff_id for staff_id, name in rows if sought in name.casefold()]
    by_email = session.scalars(select(StaffMember.id).where(has_email(text))).all()
    return [*found, *by_email]


def languages_of(session: Session, staff_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Return the languages that each of ``staff_ids`` speaks."""
    rows = session.execute(
        select(Language.staff_id, Language.language)
        .where(Language.staff_id.in_(staff_ids))
        .order_by(Language.id)
    ).all()
    spoken: dict[int, set[str]] = {staff_id: set() for staff_id in staff_ids}
    for staff_id, language in rows:
        spoken[staff_id].add(language)
    return {staff_id: frozenset(found) for staff_id, found in spoken.items()}


def switch_shortcuts(session: Session, staff_id: int, *, is_on: bool) -> None:
    """Keep whether somebody wants single-key shortcuts. Does not commit."""
    session.execute(
        update(StaffMember).where(StaffMember.id == staff_id).values(has_shortcuts=is_on)
    )


def switch_own_only(session: Session, staff_id: int, *, is_on: bool) -> None:
    """Keep whether somebody's queue leaves out whom they cover. Does not commit."""
    session.execute(
        update(StaffMember).where(StaffMember.id == staff_id).values(sees_own_only=is_on)
    )


def _code_of(language: str) -> str:
    code = language_code(language)
    if code is None:
        raise UnknownLanguage(f"{language!r} is not a language code; write en, es or pt-BR.")
    return code
