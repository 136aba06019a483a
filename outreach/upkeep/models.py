"""What an installation remembers of its own upkeep."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model


class LastBackup(Model):
    """When the newest whole backup was made. One row; none before the first."""

    __tablename__ = "last_backup"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
