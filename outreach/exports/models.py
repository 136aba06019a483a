"""The table of files that people asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from outreach.exports.rules import Content, Format, Progress
from outreach.orm import Model
from outreach.sealing import SealedWithin

# Parameters that people type: they may be a name or an address of one of the staff.
TYPED = ("staff", "search")


class Export(Model):
    """A file that somebody asked for: what of, how far it is, where it lies until when.

    ``asked`` are the parameters of the list or report, those of TYPED until it is written.
    ``clinic_id`` is None where it is over all clinics of who asked; ``asked["within"]`` says,
    once written, which those were: ids, or "every".
    A worker holds it by ``claim`` until ``lease_until``; whoever finds that passed takes it up
    again from the beginning.
    ``file_name`` is set with the last row on the disk, never before; None again once the file
    is deleted. ``trouble`` says why there is none.
    """

    __tablename__ = "export"
    __table_args__ = (
        Index(None, "staff_id", "asked_at"),
        Index(None, "progress", "lease_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"))
    content: Mapped[Content]
    format: Mapped[Format]
    asked: Mapped[dict[str, Any]] = mapped_column(SealedWithin("export.asked", TYPED))
    form_key: Mapped[str] = mapped_column(String(40), unique=True)
    progress: Mapped[Progress]
    rows_done: Mapped[int]
    rows_total: Mapped[int | None]
    tries: Mapped[int]
    claim: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    file_name: Mapped[str | None] = mapped_column(String(80))
    bytes: Mapped[int | None]
    trouble: Mapped[str] = mapped_column(String(200))
