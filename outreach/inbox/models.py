"""Tables of what patients send back. The texts themselves are ``messaging.models.InboundText``."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.inbox.rules import Understood
from outreach.messaging.models import InboundText
from outreach.orm import Model
from outreach.patients.models import Patient
from outreach.sealing import Sealed, SealedJSON

_OPEN = text("done_at IS NULL")


class InboxItem(Model):
    """What one text means for one patient who has the number, or, without one, for a clinic.

    ``slot_at`` is the time that was confirmed or booked. ``done_at``: nobody has to see to it
    (any more); ``done_by`` None: we did it by ourselves.
    """

    __tablename__ = "inbox_item"
    __table_args__ = (
        UniqueConstraint("inbound_id", "patient_id"),
        Index(None, "patient_id", "at"),
        Index(None, "planned_call_id"),
        Index(
            "ix_inbox_item_waiting", "clinic_id", "at", sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound_text.id"))
    understood: Mapped[Understood]
    planned_call_id: Mapped[int | None] = mapped_column(ForeignKey("planned_call.id"))
    slot_at: Mapped[datetime | None]
    reading_id: Mapped[int | None] = mapped_column(ForeignKey("reading.id"))
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))

    inbound: Mapped[InboundText] = relationship(lazy="raise_on_sql")
    patient: Mapped[Patient | None] = relationship(lazy="raise_on_sql")
    done_by: Mapped[StaffMember | None] = relationship(lazy="raise_on_sql")


class TextQuestion(Model):
    """Something that we asked a patient by text and they may answer with a number.

    ``details`` holds what an answer needs: the instants of offered times, or the text that
    held a blood sugar. The newest that still holds is the one that is answered.
    """

    __tablename__ = "text_question"
    __table_args__ = (Index(None, "patient_id", "asked_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound_text.id"), unique=True)
    asked: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(SealedJSON("text_question.details"))
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ReadingPermission(Model):
    """A patient agreed, or no longer agrees, to send blood sugar by text. The newest counts."""

    __tablename__ = "reading_permission"
    __table_args__ = (Index(None, "patient_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    is_given: Mapped[bool]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound_text.id"))
    at: Mapped[datetime]


class AnswerDraft(Model):
    """What one of the staff is typing to a patient, kept on the server.

    ``form_key`` makes an answer that is sent twice one text; ``version`` tells two tabs apart.
    """

    __tablename__ = "answer_draft"
    __table_args__ = (UniqueConstraint("patient_id", "staff_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    form_key: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Sealed("answer_draft.text"))
    saved_at: Mapped[datetime]
