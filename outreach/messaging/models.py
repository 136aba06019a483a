"""Tables of text messages."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import Clinic, StaffMember
from outreach.messaging.rules import (
    PRIORITY,
    MessageKind,
    MessageStatus,
    SkipReason,
    TryResult,
)
from outreach.orm import Model
from outreach.patients.models import Patient
from outreach.sealing import CLINIC_NUMBERS, NUMBER, Findable, Recipient, Sealed


def _rank(context: Any) -> int:
    return PRIORITY[MessageKind(context.get_current_parameters()["kind"])]


class Message(Model):
    """One text to a patient, an alert to one of the staff, or an answer to a text that came in.

    An answer need not be anybody's: a number may belong to several patients, or to nobody.
    ``dedupe_key`` makes a second one for one cause impossible.
    ``body`` is what goes out, to the letter; ``wording_id`` is the version of the words that it
    was made from, None where they are as built in. Of those that are due, the lowest ``rank``
    goes first; its kind gives it. Not before ``send_after``, not from ``expires_at`` on.
    ``lease_until`` bounds how long one worker may hold it.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index(None, "status", "send_after"),
        Index(
            "ix_message_in_turn",
            "rank",
            "send_after",
            "id",
            postgresql_where=text("status = 'scheduled'"),
            sqlite_where=text("status = 'scheduled'"),
        ),
        Index(
            "ix_message_in_turn_at_clinic",
            "clinic_id",
            "rank",
            "send_after",
            "id",
            postgresql_where=text("status = 'scheduled'"),
            sqlite_where=text("status = 'scheduled'"),
        ),
        Index(None, "patient_id", "created_at"),
        Index(None, "clinic_id", "created_at"),
        Index(None, "clinic_id", "send_after"),
        Index(None, "to_number"),
        Index(None, "cause"),
        Index(None, "inbound_id"),
        CheckConstraint(
            "(patient_id IS NULL OR staff_id IS NULL) AND"
            " (patient_id IS NOT NULL OR staff_id IS NOT NULL OR inbound_id IS NOT NULL)",
            name="one_recipient",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound_text.id"))
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    kind: Mapped[MessageKind]
    rank: Mapped[int] = mapped_column(default=_rank, server_default="1")
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    cause: Mapped[str] = mapped_column(String(60))
    to_number: Mapped[str] = mapped_column(Recipient(NUMBER))
    language: Mapped[str] = mapped_column(String(10))
    body: Mapped[str] = mapped_column(Sealed("message.body"))
    wording_id: Mapped[int | None] = mapped_column(ForeignKey("wording.id"))
    status: Mapped[MessageStatus]
    skip_reason: Mapped[SkipReason | None]
    failure: Mapped[str] = mapped_column(String(80))
    send_after: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    calling_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    tries: Mapped[int]
    provider_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]

    clinic: Mapped[Clinic] = relationship(lazy="raise_on_sql")
    patient: Mapped[Patient | None] = relationship(lazy="raise_on_sql")
    staff: Mapped[StaffMember | None] = relationship(lazy="raise_on_sql", foreign_keys=[staff_id])
    by: Mapped[StaffMember | None] = relationship(lazy="raise_on_sql", foreign_keys=[by_staff_id])


class InboundText(Model):
    """One text that came in, as it came; ``provider_id`` makes a repeat the same row.

    ``attachments`` are counted, never fetched. Until ``open_until`` automatic texts to the
    number wait, unless it is answered before. ``answered_at``: nothing waits any more, be it
    that we answered by ourselves or that somebody saw to it.
    """

    __tablename__ = "inbound_text"
    __table_args__ = (Index("ix_inbound_text_number", "clinic_id", "from_number", "open_until"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    provider_id: Mapped[str] = mapped_column(String(64), unique=True)
    from_number: Mapped[str] = mapped_column(Findable(NUMBER))
    to_number: Mapped[str] = mapped_column(CLINIC_NUMBERS)
    body: Mapped[str] = mapped_column(Sealed("inbound_text.body"))
    attachments: Mapped[int]
    received_at: Mapped[datetime]
    open_until: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class DeliveryEvent(Model):
    """One report about one text, as it came. Kept even when it changes nothing."""

    __tablename__ = "delivery_event"
    __table_args__ = (UniqueConstraint("message_id", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    status: Mapped[str] = mapped_column(String(20))
    error_code: Mapped[int | None]
    is_unreachable: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[datetime]


class SendTry(Model):
    """One asking of the carrier, or of its list, and what came of it.

    ``at`` is when the text was taken for this asking, ``detail`` the carrier's own code.
    """

    __tablename__ = "send_try"
    __table_args__ = (UniqueConstraint("message_id", "at", "result"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    at: Mapped[datetime]
    answered_at: Mapped[datetime]
    result: Mapped[TryResult]
    detail: Mapped[str] = mapped_column(String(80))


class TextLimit(Model):
    """How many texts a clinic sends a patient, see rules.Limits. No row: as built in."""

    __tablename__ = "text_limit"

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), unique=True)
    per_day: Mapped[int]
    per_week: Mapped[int]
    unreachable_times: Mapped[int]
    settle_minutes: Mapped[int]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    changed_at: Mapped[datetime]


class SenderPace(Model):
    """How many segments a second one sender may send; no row: as many as the carrier takes.

    ``sender`` is as in Clinic.sms_sender, empty for the installation's own. ``turns`` are those
    that its texts were given lately, see rules.pace.Given; whoever gives some holds the row.
    """

    __tablename__ = "sender_pace"

    id: Mapped[int] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(CLINIC_NUMBERS, unique=True)
    per_second: Mapped[int]
    last_turn_at: Mapped[datetime | None]
    turns: Mapped[dict[str, Any]]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    changed_at: Mapped[datetime]


class MessageSetting(Model):
    """Whether a clinic wants one kind of text sent by itself.

    No row means no, except for rules.UNLESS_REFUSED.
    """

    __tablename__ = "message_setting"
    __table_args__ = (UniqueConstraint("clinic_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    kind: Mapped[MessageKind]
    is_on: Mapped[bool]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    changed_at: Mapped[datetime]


class OutboxHold(Model):
    """The outbox is closed: the rows are older than what the carrier was given meanwhile.

    Written when a backup is put back; ``since`` is when it was made. ``ended_as`` says how it
    was found out what went out since then.
    """

    __tablename__ = "outbox_hold"

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str] = mapped_column(String(40))


class UnrecordedText(Model):
    """A text that the carrier's list shows and no row of ours tells of, after a backup.

    The row that would send it a second time is matched with it when its turn comes.
    """

    __tablename__ = "unrecorded_text"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(64), unique=True)
    to_number: Mapped[str] = mapped_column(Findable(NUMBER), index=True)
    body: Mapped[str] = mapped_column(Sealed("unrecorded_text.body"))
    sent_at: Mapped[datetime]
