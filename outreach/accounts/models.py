"""Tables of clinics and the people who work there."""

from datetime import date, datetime, time

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.accounts.rules import LinkKind, Role
from outreach.orm import Model
from outreach.sealing import CLINIC_NUMBERS, STAFF_EMAILS, STAFF_NAMES, STAFF_NUMBERS, Sealed


class Clinic(Model):
    """One site. ``opens`` and ``closes`` bound contact on the *patient's* wall clock.

    ``phone_number`` is the neutral number that patients see and may call back.
    ``holiday_area`` is the state or province whose public holidays are kept besides the
    country's own, None for those alone; ``keeps_holidays`` False keeps none of them.
    ``hours_changed_at``: calls planned before may stand outside the hours and are still to
    be looked through.
    """

    __tablename__ = "clinic"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(60))
    region: Mapped[str] = mapped_column(String(2))
    phone_number: Mapped[str] = mapped_column(CLINIC_NUMBERS)
    sms_sender: Mapped[str | None] = mapped_column(CLINIC_NUMBERS)
    opens: Mapped[time]
    closes: Mapped[time]
    glucose_unit: Mapped[str] = mapped_column(String(20))
    keeps_holidays: Mapped[bool] = mapped_column(default=True)
    holiday_area: Mapped[str | None] = mapped_column(String(10))
    hours_changed_at: Mapped[datetime | None]


class Closure(Model):
    """A day on which a clinic makes no calls, besides public holidays."""

    __tablename__ = "clinic_closure"
    __table_args__ = (UniqueConstraint("clinic_id", "on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    on: Mapped[date]
    name: Mapped[str] = mapped_column(String(120))
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))


class StaffMember(Model):
    """A person who signs in. Deactivated, never deleted.

    ``email`` is in lower case; who looks for one asks ``sign_in.has_email``.
    ``phone`` (E.164) is where alerts about concerns reach them, None where they have none;
    ``work_phone`` is the telephone on which they make and take calls, shown to nobody.
    ``sees_own_only``: their queue leaves out whom they call in somebody else's place.
    """

    __tablename__ = "staff_member"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(STAFF_EMAILS, unique=True)
    name: Mapped[str] = mapped_column(STAFF_NAMES)
    locale: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(60))
    password_hash: Mapped[str] = mapped_column(String(200))
    has_shortcuts: Mapped[bool]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    phone: Mapped[str | None] = mapped_column(STAFF_NUMBERS)
    work_phone: Mapped[str | None] = mapped_column(STAFF_NUMBERS)
    sees_own_only: Mapped[bool] = mapped_column(default=False, server_default=false())


class Membership(Model):
    """A role of one person at one clinic, from one day to another; no clinic means all."""

    __tablename__ = "membership"
    __table_args__ = (
        Index(
            "uq_membership_held",
            "staff_id",
            "clinic_id",
            "role",
            unique=True,
            sqlite_where=text("until_on IS NULL"),
            postgresql_where=text("until_on IS NULL"),
        ),
        # Each page asks for the roles of its reader, past ones and those to come among them.
        Index(None, "staff_id"),
        Index(None, "clinic_id", "role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"))
    role: Mapped[Role]
    from_on: Mapped[date]
    until_on: Mapped[date | None]


class Region(Model):
    """Clinics under one name; ``Clinic.region`` is another thing, the country of its numbers."""

    __tablename__ = "region"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)


class RegionClinic(Model):
    """Which region a clinic is of; one at most."""

    __tablename__ = "region_clinic"

    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)


class RegionRole(Model):
    """A role of one person at every clinic of a region, also at those that join it later."""

    __tablename__ = "region_role"
    __table_args__ = (
        Index(
            "uq_region_role_held",
            "region_id",
            "staff_id",
            "role",
            unique=True,
            sqlite_where=text("until_on IS NULL"),
            postgresql_where=text("until_on IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    role: Mapped[Role]
    from_on: Mapped[date]
    until_on: Mapped[date | None]


class RegionMembership(Model):
    """A role at one clinic that somebody has because of a region; it ends with that."""

    __tablename__ = "region_membership"

    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), primary_key=True)
    region_role_id: Mapped[int] = mapped_column(ForeignKey("region_role.id"))


class SignIn(Model):
    """One signed-in browser. Only a hash of its token is kept; ending it ends the session.

    ``awaits_factor``: the password was right, the second factor is still to come; it opens
    nothing. ``confirmed_at``: when the person last proved who they are. ``device`` is what the
    browser says of itself, ``address`` where it came from.
    """

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    awaits_factor: Mapped[bool] = mapped_column(default=False)
    confirmed_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class AccessLink(Model):
    """A link by which one person, once, sets their own password. Only its hash is kept."""

    __tablename__ = "access_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    kind: Mapped[LinkKind]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class EmergencyAccess(Model):
    """An administrator opened one patient, with a reason, until an instant."""

    __tablename__ = "emergency_access"
    __table_args__ = (Index(None, "staff_id", "until_at"), Index(None, "clinic_id", "from_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str] = mapped_column(Sealed("emergency_access.reason"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]


class SignInFailure(Model):
    """One refused try, kept as hashes, to slow down guessing.

    ``address_hash`` is that of the network address, or of a device known to the account.
    """

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index(None, "address_hash", "at"), Index(None, "account_hash", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account_hash: Mapped[str] = mapped_column(String(64))
    address_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Language(Model):
    """A language that a person can hold a conversation in."""

    __tablename__ = "staff_language"
    __table_args__ = (UniqueConstraint("staff_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    language: Mapped[str] = mapped_column(String(10))
