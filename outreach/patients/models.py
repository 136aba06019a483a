"""Tables of patients, their numbers and what they agreed to."""

from datetime import date, datetime, time

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import Clinic
from outreach.orm import Model
from outreach.patients.rules import (
    Channel,
    ConsentSource,
    ConsentTopic,
    Daypart,
    NumberHealth,
    Sex,
    Wishes,
    weekdays_from_mask,
)


class Patient(Model):
    """Someone who is called. ``ref`` is the random id that addresses of pages carry.

    ``weekdays`` is a bit mask, bit 0 Monday; ``dayparts`` are words in order of liking;
    both empty mean no preference. ``about`` is what matters to this person, ``approach`` how
    to talk with them, ``said_as`` how to say their name. ``state`` is the
    part of the country where they live (ISO 3166-2 without the country: TX), from their
    address. ``wished_caller`` is whom they would rather speak with, None for anybody.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "record_number"),
        Index(None, "clinic_id", "family_name", "given_name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    record_number: Mapped[str] = mapped_column(String(60))
    given_name: Mapped[str] = mapped_column(String(120))
    family_name: Mapped[str] = mapped_column(String(120))
    preferred_name: Mapped[str | None] = mapped_column(String(120))
    said_as: Mapped[str | None] = mapped_column(String(120))
    pronouns: Mapped[str | None] = mapped_column(String(40))
    date_of_birth: Mapped[date]
    sex: Mapped[Sex]
    language: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(60))
    state: Mapped[str | None] = mapped_column(String(10))
    wished_caller: Mapped[Sex | None]
    weekdays: Mapped[int]
    dayparts: Mapped[list[str]]
    is_voicemail_allowed: Mapped[bool | None]
    about: Mapped[str] = mapped_column(Text)
    approach: Mapped[str | None] = mapped_column(Text)
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
    def wishes(self) -> Wishes:
        """When this person likes to be called."""
        return Wishes(
            weekdays_from_mask(self.weekdays), tuple(Daypart(part) for part in self.dayparts)
        )


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


class PhoneNumber(Model):
    """One number of one patient, E.164, with its own health. ``position`` 1 is tried first.

    ``can_text`` turns false when the carrier says that it is a landline or does not exist.
    """

    __tablename__ = "phone_number"
    __table_args__ = (
        UniqueConstraint("patient_id", "e164"),
        Index(None, "e164"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    e164: Mapped[str] = mapped_column(String(20))
    position: Mapped[int]
    health: Mapped[NumberHealth]
    can_text: Mapped[bool] = mapped_column(default=True)
    health_at: Mapped[datetime]


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
    number: Mapped[str] = mapped_column(String(20))
    source: Mapped[ConsentSource]
    wording: Mapped[str] = mapped_column(String(40))
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]
