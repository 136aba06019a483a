"""What an installation remembers of its own upkeep."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.sealing import Sealed


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


class LookUpKey(Model):
    """The key of what is looked up, sealed with one of the installation's. One row, or none.

    None before an installation that was there before 0071 takes its oldest key out: that one
    looks up there. ``key_id`` is what values name it by, ``secret`` 32 bytes in base64.
    """

    __tablename__ = "look_up_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(String(40))
    secret: Mapped[str] = mapped_column(Sealed("look_up_key.secret"))
    made_at: Mapped[datetime]
