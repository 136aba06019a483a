"""Tables of patients, their numbers and what they agreed to."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import Clinic, StaffMember
from outreach.orm import Model
from outreach.patients.rules import (
    Cause,
    Channel,
    ConsentSource,
    ConsentTopic,
    Daypart,
    NumberHealth,
    Sex,
    Wishes,
    name_key,
    weekdays_from_mask,
)
from outreach.sealing import NAME_BYTES, NUMBER, Findable, OnceInClear, Sealed

# Not 0, which the release before takes for somebody who is to be placed.
UNRANKED = -1


class Patient(Model):
    """Someone who is called. ``ref`` is the random id that addresses of pages carry.

    ``weekdays`` is a bit mask, bit 0 Monday; ``dayparts`` are words in order of liking;
    both empty mean no preference. ``about`` is what matters to this person, ``approach`` how
    to talk with them, ``said_as`` how to say their name. ``state`` is the
    part of the country where they live (ISO 3166-2 without the country: TX), from their
    address. ``wished_caller`` is whom they would rather speak with, None for anybody.
    ``name_rank`` and ``record_rank`` say nothing any more: UNRANKED. The release before kept who
    comes before whom there; the next one drops them.
    ``is_welfare_check_agreed``: whether a nurse may make sure that they are well when nobody
    reaches them for long; None: not asked yet.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "record_number"),
        Index(None, "clinic_id", "name_rank"),
        Index(None, "clinic_id", "record_rank"),
        Index(None, "name_rank"),
        Index(None, "record_rank"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    record_number: Mapped[str] = mapped_column(Findable("patient.record_number"))
    given_name: Mapped[str] = mapped_column(Sealed("patient.given_name", NAME_BYTES))
    family_name: Mapped[str] = mapped_column(Sealed("patient.family_name", NAME_BYTES))
    preferred_name: Mapped[str | None] = mapped_column(Sealed("patient.preferred_name", NAME_BYTES))
    said_as: Mapped[str | None] = mapped_column(Sealed("patient.said_as", NAME_BYTES))
    pronouns: Mapped[str | None] = mapped_column(OnceInClear("patient.pronouns"))
    name_rank: Mapped[int] = mapped_column(BigInteger, default=UNRANKED)
    record_rank: Mapped[int] = mapped_column(BigInteger, default=UNRANKED)
    date_of_birth: Mapped[date]
    sex: Mapped[Sex]
    language: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(60))
    state: Mapped[str | None] = mapped_column(String(10))
    wished_caller: Mapped[Sex | None]
    weekdays: Mapped[int]
    dayparts: Mapped[list[str]]
    is_voicemail_allowed: Mapped[bool | None]
    is_welfare_check_agreed: Mapped[bool | None]
    about: Mapped[str] = mapped_column(Sealed("patient.about"))
    approach: Mapped[str | None] = mapped_column(Sealed("patient.approach"))
    created_at: Mapped[datetime]

    clinic: Mapped[Clinic] = relationship(lazy="raise_on_sql")

    @property
    def called(self) -> str:
        """The name this person goes by."""
        return self.preferred_name or self.given_name

    @property
    def full_name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def name_key(self) -> tuple[str, ...]:
        """What a few patients are sorted by; who sorts a whole clinic asks its directory."""
        return name_key(self.family_name, self.given_name)

    @property
    def wishes(self) -> Wishes:
        """When this person likes to be called."""
        return Wishes(
            weekdays_from_mask(self.weekdays), tuple(Daypart(part) for part in self.dayparts)
        )


class PatientBefore(Model):
    """What reports group a patient by, as the record had it until ``until_at``. Appended.

    Without one that ends later, the record always said what it says now.
    """

    __tablename__ = "patient_before"
    __table_args__ = (Index(None, "patient_id", "until_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    date_of_birth: Mapped[date]
    sex: Mapped[Sex]
    language: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(60))
    until_at: Mapped[datetime]


class HoursRule(Model):
    """Calling hours that the law of a place sets, from one day to another, as data.

    ``region`` is a country (US), ``state`` a part of it or None for all of it; ``weekdays``
    is a bit mask, bit 0 Monday. ``opens`` and ``closes`` are the patient's wall clock; both
    None mean no calls on those weekdays. A law that changes ends one row and begins another.
    """

    __tablename__ = "hours_rule"
    __table_args__ = (Index(None, "region", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(String(2))
    state: Mapped[str | None] = mapped_column(String(10))
    weekdays: Mapped[int]
    opens: Mapped[time | None]
    closes: Mapped[time | None]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    source: Mapped[str] = mapped_column(Text)


TAIL_DIGITS = 4


def tail_of(e164: str) -> str:
    """Return the digits at the end of a number by which people look for it."""
    return e164[-TAIL_DIGITS:]


def _tail(context: Any) -> str:
    return tail_of(context.get_current_parameters()["e164"])


class PhoneNumber(Model):
    """One number of one patient, E.164, with its own health. ``position`` 1 is tried first.

    ``tail`` are its last digits, by which people look for it. ``can_text`` turns false when
    the carrier says that it is a landline or does not exist.
    """

    __tablename__ = "phone_number"
    __table_args__ = (
        UniqueConstraint("patient_id", "e164"),
        Index(None, "e164"),
        Index(None, "tail"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    e164: Mapped[str] = mapped_column(Findable(NUMBER))
    tail: Mapped[str] = mapped_column(Findable("phone_number.tail"), default=_tail)
    position: Mapped[int]
    health: Mapped[NumberHealth]
    can_text: Mapped[bool] = mapped_column(default=True)
    health_at: Mapped[datetime]


class NumberNote(Model):
    """What was learnt about a number that is dead. Appended; says when nothing is left to do.

    ``is_resolved`` holds until the number goes dead once more.
    """

    __tablename__ = "number_note"
    __table_args__ = (Index(None, "patient_id", "number_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_number.id"))
    text: Mapped[str] = mapped_column(Sealed("number_note.text"))
    is_resolved: Mapped[bool]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


class ConsentEvent(Model):
    """A consent given or withdrawn. Appended, never changed; the newest of a topic counts.

    A consent is to one number: a new number begins without. ``wording`` names the words that
    were read or shown (templates/consent).
    """

    __tablename__ = "consent_event"
    __table_args__ = (Index(None, "patient_id", "channel", "number", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    channel: Mapped[Channel]
    topic: Mapped[ConsentTopic]
    is_given: Mapped[bool]
    number: Mapped[str] = mapped_column(Findable(NUMBER))
    source: Mapped[ConsentSource]
    wording: Mapped[str] = mapped_column(String(40))
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]


class Anonymised(Model):
    """A patient whose names, numbers and texts are gone, and why. Once for each.

    ``record_hash`` is the keyed hash of the record number that they had, by which a file of the
    clinic is kept from bringing them back; None for those of before it was kept.
    """

    __tablename__ = "anonymised"
    __table_args__ = (Index(None, "clinic_id", "at"),)

    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id"), primary_key=True, autoincrement=False
    )
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    cause: Mapped[Cause]
    at: Mapped[datetime]
    record_hash: Mapped[str | None] = mapped_column(String(32))
