"""What an installation remembers of its own upkeep."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model


class LastBackup(Model):
    """When the newest whole backup was made. One row; none before the first."""

    __tablename__ = "last_backup"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class JobEnd(Model):
    """How it went with one job of the scheduler. A row for each.

    ``well_at`` is when it last ended well; before it ever did, since when a scheduler has had it.
    ``failures`` are the runs that did not.
    """

    __tablename__ = "job_end"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    every_seconds: Mapped[int]
    well_at: Mapped[datetime]
    failures: Mapped[int]
