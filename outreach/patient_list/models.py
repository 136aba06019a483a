"""Tables of the patient list: lists that were saved, and what was searched for."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.sealing import Sealed


class SavedList(Model):
    """Filters, order and columns under a name. ``clinic_id``: everybody there may use it.

    ``params`` are those of the address; never a text that was searched for.
    """

    __tablename__ = "saved_list"
    __table_args__ = (UniqueConstraint("staff_id", "name"), Index(None, "clinic_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"))
    name: Mapped[str] = mapped_column(String(80))
    params: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]


class KeptSearch(Model):
    """What somebody typed into the search box, so that addresses carry ``token`` instead.

    Theirs alone, and deleted after a day.
    """

    __tablename__ = "kept_search"
    __table_args__ = (Index(None, "staff_id", "at"), Index(None, "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(16), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    text: Mapped[str] = mapped_column(Sealed("kept_search.text"))
    is_either: Mapped[bool]
    has_notes: Mapped[bool]
    at: Mapped[datetime]
