"""Passkeys (WebAuthn): registering them, and signing in by one.

Each is asked to verify its user (by finger, face or PIN), so that one passkey is two factors.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from outreach.errors import RuleBroken
from outreach.factors.models import Passkey, PasskeyChallenge
from outreach.factors.rules import CHALLENGE_LIVES

MOST_PASSKEYS = 20
_VERIFIED = UserVerificationRequirement.REQUIRED


class PasskeyRefused(RuleBroken):
    """The device's answer does not fit what was asked, or its key is not one of ours."""


@dataclass(frozen=True)
class Site:
    """Where passkeys hold: ``origin`` is the public address that browsers show."""

    origin: str

    @property
    def rp_id(self) -> str:
        """The host name that a passkey is bound to."""
        return urlsplit(self.origin).hostname or "localhost"

    @property
    def is_possible(self) -> bool:
        """Whether browsers make passkeys here: for host names, by TLS or on this machine."""
        parts = urlsplit(self.origin)
        is_number = self.rp_id.replace(".", "").isdigit() or ":" in self.rp_id
        return not is_number and (parts.scheme == "https" or self.rp_id == "localhost")


@dataclass(frozen=True)
class Holder:
    """Whose passkey it is to be."""

    staff_id: int
    email: str
    name: str


def of(session: Session, staff_id: int) -> Sequence[Passkey]:
    """Return somebody's passkeys, oldest first."""
    return session.scalars(
        select(Passkey)
        .where(Passkey.staff_id == staff_id, Passkey.removed_at.is_(None))
        .order_by(Passkey.id)
    ).all()


def registration(session: Session, site: Site, holder: Holder, *, now: datetime) -> str:
    """Return what the browser is asked to make a passkey from, as JSON. Does not commit."""
    known = of(session, holder.staff_id)
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name="Outreach",
        # The same for all passkeys of one person, and nothing about them.
        user_id=hashlib.sha256(f"outreach staff {holder.staff_id}".encode()).digest(),
        user_name=holder.email,
        user_display_name=holder.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id))
            for each in known
        ],
    )
    _ask(session, options.challenge, holder.staff_id, now=now)
    return webauthn.options_to_json(options)


def register(
    session: Session, site: Site, staff_id: int, answer: Any, name: str, *, now: datetime
) -> Passkey:
    """Keep the passkey that a device made. Does not commit.

    Raises:
        PasskeyRefused: the answer does not fit, or there are MOST_PASSKEYS already.
    """
    challenge = _answered(session, answer, staff_id, now=now)
    if len(of(session, staff_id)) >= MOST_PASSKEYS:
        raise PasskeyRefused("You have as many passkeys as one can have. Remove one first.")
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise PasskeyRefused("That passkey could not be kept.") from error
    passkey = Passkey(
        staff_id=staff_id,
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        name=name.strip()[:60] or "Passkey",
        made_at=now,
    )
    session.add(passkey)
    session.flush()
    return passkey


def question(session: Session, site: Site, staff_id: int | None, *, now: datetime) -> str:
    """Return what the browser asks a passkey to sign, as JSON. Does not commit.

    ``staff_id`` None: at the door, where nobody has said who they are.
    """
    known = of(session, staff_id) if staff_id is not None else ()
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        user_verification=_VERIFIED,
        allow_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id))
            for each in known
        ]
        or None,
    )
    _ask(session, options.challenge, staff_id, now=now)
    return webauthn.options_to_json(options)


def accept(
    session: Session, site: Site, answer: Any, staff_id: int | None, *, now: datetime
) -> Passkey:
    """Return the passkey that signed ``answer``. Does not commit.

    Raises:
        PasskeyRefused: unknown key, another person's, a wrong signature, a used challenge, or
            a count that went back (a copy of the key).
    """
    challenge = _answered(session, answer, staff_id, now=now)
    passkey = session.scalar(
        select(Passkey)
        .where(Passkey.credential_id == str(answer.get("id")), Passkey.removed_at.is_(None))
        .with_for_update()
    )
    if passkey is None or staff_id not in (None, passkey.staff_id):
        raise PasskeyRefused("That passkey is not one of ours.")
    try:
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise PasskeyRefused("That passkey was not accepted.") from error
    passkey.sign_count, passkey.used_at = verified.new_sign_count, now
    return passkey


def remove(session: Session, staff_id: int, passkey_id: int, *, now: datetime) -> bool:
    """Remove one of somebody's passkeys; say whether there was one. Does not commit."""
    return _remove(session, Passkey.staff_id == staff_id, Passkey.id == passkey_id, now=now)


def remove_all(session: Session, staff_id: int, *, now: datetime) -> bool:
    """Remove all of somebody's passkeys; say whether there were any. Does not commit."""
    return _remove(session, Passkey.staff_id == staff_id, now=now)


def _remove(session: Session, *which: Any, now: datetime) -> bool:
    removed = session.execute(
        update(Passkey)
        .where(*which, Passkey.removed_at.is_(None))
        .values(removed_at=now)
        .returning(Passkey.id)
    ).all()
    return bool(removed)


def _ask(session: Session, challenge: bytes, staff_id: int | None, *, now: datetime) -> None:
    session.execute(
        delete(PasskeyChallenge).where(PasskeyChallenge.made_at < now - 2 * CHALLENGE_LIVES)
    )
    session.add(PasskeyChallenge(challenge_hash=_hash(challenge), staff_id=staff_id, made_at=now))


def _answered(session: Session, answer: Any, staff_id: int | None, *, now: datetime) -> bytes:
    """Return the challenge that ``answer`` answers, which is used up by that."""
    try:
        told = parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PasskeyRefused("That is not the answer of a passkey.") from error
    whose = PasskeyChallenge.staff_id
    used = session.execute(
        update(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge_hash == _hash(told.challenge),
            whose.is_(None) if staff_id is None else whose == staff_id,
            PasskeyChallenge.made_at > now - CHALLENGE_LIVES,
            PasskeyChallenge.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(PasskeyChallenge.id)
    )
    if used.first() is None:
        raise PasskeyRefused("That took too long. Try again.")
    return told.challenge


def _hash(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
