"""The table of what is counted."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from outreach.brakes.rules import Braked
from outreach.orm import Model


class BrakeCount(Model):
    """How often one account, or one address, did something in one stretch of the clock.

    ``who_hash`` keeps addresses of networks from lying here as they are. Deleted a day later.
    """

    __tablename__ = "brake_count"
    __table_args__ = (UniqueConstraint("who_hash", "what", "began_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[Braked]
    who_hash: Mapped[str] = mapped_column(String(64))
    began_at: Mapped[datetime]
    count: Mapped[int]
