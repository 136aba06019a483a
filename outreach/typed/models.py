"""The table of what was typed and not sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.sealing import SealedJSON


class TypedForm(Model):
    """The fields of one form of one person, theirs alone, deleted after some days.

    ``place`` is the path that the form is sent to, ids and references as in every path of ours,
    and a number where several forms of a page are sent there.
    """

    __tablename__ = "typed_form"
    __table_args__ = (UniqueConstraint("staff_id", "place"), Index(None, "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    place: Mapped[str] = mapped_column(String(300))
    fields: Mapped[list[Any]] = mapped_column(SealedJSON("typed_form.fields"))
    at: Mapped[datetime]
