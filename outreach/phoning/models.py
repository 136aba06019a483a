"""Tables of the telephone."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.phoning.rules import Direction, Ending, Facts
from outreach.sealing import CLINIC_NUMBERS, NUMBER, STAFF_NUMBERS, Findable
from outreach.telephony.gateway import AnsweredBy, Leg, LegStatus

_LIVE = text("ended_at IS NULL AND caller_id IS NOT NULL")
_LIVE_ABOUT = text("ended_at IS NULL AND planned_call_id IS NOT NULL")


class PhoneCall(Model):
    """One call on the telephone: two legs, which the carrier joins.

    ``press_key`` is of one press of Call, or of one call that came in: a second press, or a
    repeated webhook, makes no second call. At most one is live per caller, and per planned call.
    ``number`` is the patient's, ``staff_number`` the caller's own telephone, ``shown_number``
    the clinic's, which is all that either of them sees. ``answered_at``: since when the two
    could talk. ``heard_at``: when the carrier last told anything. ``stop_asked_at``: somebody
    wants it ended. ``recorded_at``: its outcome has been written down. Sound is never kept.
    """

    __tablename__ = "phone_call"
    __table_args__ = (
        Index(
            "uq_phone_call_live",
            "caller_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_phone_call_live_about",
            "planned_call_id",
            unique=True,
            sqlite_where=_LIVE_ABOUT,
            postgresql_where=_LIVE_ABOUT,
        ),
        Index(None, "planned_call_id", "caller_id"),
        Index(None, "patient_id"),
        Index(None, "ended_at", "heard_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    press_key: Mapped[str] = mapped_column(String(80), unique=True)
    direction: Mapped[Direction]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    planned_call_id: Mapped[int | None] = mapped_column(ForeignKey("planned_call.id"))
    caller_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    number: Mapped[str] = mapped_column(Findable(NUMBER))
    staff_number: Mapped[str | None] = mapped_column(STAFF_NUMBERS)
    shown_number: Mapped[str] = mapped_column(CLINIC_NUMBERS)
    may_leave_voicemail: Mapped[bool]
    staff_leg: Mapped[LegStatus]
    patient_leg: Mapped[LegStatus]
    staff_sid: Mapped[str | None] = mapped_column(String(64))
    patient_sid: Mapped[str | None] = mapped_column(String(64))
    answered_by: Mapped[AnsweredBy | None]
    asked_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    heard_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[int | None]
    ending: Mapped[Ending | None]
    failure: Mapped[str] = mapped_column(String(80))
    stop_asked_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime | None]

    @property
    def facts(self) -> Facts:
        """What is known of this call."""
        return Facts(
            self.direction,
            self.staff_leg,
            self.patient_leg,
            is_talk=self.answered_at is not None,
            answered_by=self.answered_by,
            is_ended=self.ended_at is not None,
        )


class PhoneEvent(Model):
    """One report about one leg of a call, as it came. Kept even when it changes nothing."""

    __tablename__ = "phone_event"
    __table_args__ = (UniqueConstraint("phone_call_id", "leg", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    phone_call_id: Mapped[int] = mapped_column(ForeignKey("phone_call.id"))
    leg: Mapped[Leg]
    status: Mapped[LegStatus]
    sequence: Mapped[int | None]
    seconds: Mapped[int | None]
    happened_at: Mapped[datetime | None]
    received_at: Mapped[datetime]


class ReturnedCall(Model):
    """A task: somebody rang the clinic's number back and nobody could take it.

    One for each patient who has that number, so ``dedupe_key`` names call and patient; none
    of them where the number is not known.
    """

    __tablename__ = "returned_call"
    __table_args__ = (
        Index(None, "patient_id", "done_at"),
        Index(None, "clinic_id", "done_at"),
        Index(None, "enrolment_id", "done_at"),  # by which each queue page asks
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(60), unique=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    phone_call_id: Mapped[int] = mapped_column(ForeignKey("phone_call.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id"))
    number: Mapped[str] = mapped_column(Findable(NUMBER))
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
