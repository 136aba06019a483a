"""Tables of what texts say."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.wordings.rules import TextName


class Wording(Model):
    """The words of one text in one language, as a clinic wrote them. Appended, never changed.

    The highest ``number`` counts. Where there is none, the words in templates/sms count: they
    are number 0.
    """

    __tablename__ = "wording"
    __table_args__ = (UniqueConstraint("clinic_id", "name", "language", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    name: Mapped[TextName]
    language: Mapped[str] = mapped_column(String(10))
    number: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime]
