"""The table of imports."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from outreach.intake.rules import FileKind
from outreach.orm import Model
from outreach.sealing import SealedJSON


class ImportRun(Model):
    """One file that was taken in, whole. ``counts`` and ``problems`` are what it reported.

    ``problems`` quote the file, so they name people: None once their days are over.
    """

    __tablename__ = "import_run"
    __table_args__ = (Index(None, "clinic_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    kind: Mapped[FileKind]
    sha256: Mapped[str] = mapped_column(String(64))
    counts: Mapped[dict[str, Any]]
    problems: Mapped[dict[str, Any] | None] = mapped_column(SealedJSON("import_run.problems"))
    at: Mapped[datetime]
