"""Tables of second factors. Rows end; they are not deleted, save codes that a new set replaces."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model


class Authenticator(Model):
    """A telephone or program that shows codes. In use once ``confirmed_at``, until ``ended_at``.

    ``secret`` is encrypted. ``last_step``: the 30-second step of the last code that was
    accepted; it and older ones are refused.
    """

    __tablename__ = "authenticator"
    __table_args__ = (
        Index(
            "uq_authenticator_in_use",
            "staff_id",
            unique=True,
            sqlite_where=text("confirmed_at IS NOT NULL AND ended_at IS NULL"),
            postgresql_where=text("confirmed_at IS NOT NULL AND ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    secret: Mapped[str] = mapped_column(String(200))
    last_step: Mapped[int | None]
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class RecoveryCode(Model):
    """A code on paper, kept as a keyed hash, good for one sign-in without the other factor."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("staff_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Passkey(Model):
    """A key that a person's device keeps; we hold its public half.

    ``credential_id`` and ``public_key`` are base64url; ``sign_count`` grows with each use on
    devices that count.
    """

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[str] = mapped_column(String(2000))
    sign_count: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class PasskeyChallenge(Model):
    """A question that one answer of a passkey may answer, once, within minutes.

    ``staff_id`` None: asked at the door, of whoever answers.
    """

    __tablename__ = "passkey_challenge"

    id: Mapped[int] = mapped_column(primary_key=True)
    challenge_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    made_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
