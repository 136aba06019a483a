"""The table of keys by which other systems read."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model


class AccessKey(Model):
    """One system's key to one clinic. Only a keyed hash of it is kept.

    ``name`` is that of the system, ``prefix`` the beginning of the key, by which people know it,
    ``purpose`` what it reads patients for; "" where the key is older than that question.
    ``form_key`` makes the same press of a button one key. ``minute_at`` and ``minute_count``:
    how many requests came in the last minute of the clock in which any came.
    """

    __tablename__ = "access_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    name: Mapped[str] = mapped_column(String(80))
    purpose: Mapped[str] = mapped_column(String(200), default="", server_default="")
    prefix: Mapped[str] = mapped_column(String(20))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    form_key: Mapped[str] = mapped_column(String(40), unique=True)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    minute_at: Mapped[datetime | None]
    minute_count: Mapped[int] = mapped_column(default=0)
