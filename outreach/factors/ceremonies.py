"""What is asked of a device that keeps passkeys, and whether its answer holds (WebAuthn).

The only user of the library for it, which takes longer to load than the sign-in page takes to
make: loaded when a passkey is made or used. Nothing here knows the database.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from outreach.factors.rules import PasskeyRefused

_VERIFIED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True)
class Asked:
    """What the browser is handed, as JSON, and the challenge in it."""

    challenge: bytes
    text: str


@dataclass(frozen=True)
class Made:
    """A passkey that a device made; id and key as base64url."""

    credential_id: str
    public_key: str
    sign_count: int


def registration(
    rp_id: str, user_id: bytes, email: str, name: str, known_ids: Sequence[str]
) -> Asked:
    """Return what a device is asked to make a passkey of, unless it has one of ``known_ids``."""
    options = webauthn.generate_registration_options(
        rp_id=rp_id,
        rp_name="Outreach",
        user_id=user_id,
        user_name=email,
        user_display_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=_named(known_ids),
    )
    return Asked(options.challenge, webauthn.options_to_json(options))


def authentication(rp_id: str, known_ids: Sequence[str]) -> Asked:
    """Return what a device is asked to sign with one of ``known_ids``; with any, of no id."""
    options = webauthn.generate_authentication_options(
        rp_id=rp_id, user_verification=_VERIFIED, allow_credentials=_named(known_ids) or None
    )
    return Asked(options.challenge, webauthn.options_to_json(options))


def challenge_of(answer: Any) -> bytes:
    """Return the challenge that ``answer`` says it answers.

    Raises:
        PasskeyRefused: it is no answer of a device.
    """
    with _refusing("That is not the answer of a passkey."):
        return parse_client_data_json(
            base64url_to_bytes(answer["response"]["clientDataJSON"])
        ).challenge


def made(answer: Any, challenge: bytes, *, rp_id: str, origin: str) -> Made:
    """Return the passkey in a device's answer to a registration.

    Raises:
        PasskeyRefused: the answer does not fit.
    """
    with _refusing("That passkey could not be kept."):
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
        )
    return Made(
        bytes_to_base64url(found.credential_id),
        bytes_to_base64url(found.credential_public_key),
        found.sign_count,
    )


def sign_count(
    answer: Any, challenge: bytes, *, rp_id: str, origin: str, public_key: str, counted: int
) -> int:
    """Return the count in an answer that the passkey of ``public_key`` signed.

    Raises:
        PasskeyRefused: a wrong signature, or a count not past ``counted`` (a copy of the key).
    """
    with _refusing("That passkey was not accepted."):
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=counted,
            require_user_verification=True,
        )
    return verified.new_sign_count


@contextmanager
def _refusing(words: str) -> Iterator[None]:
    """Say ``words`` where the library can't read or won't accept an answer."""
    try:
        yield
    except (
        WebAuthnException,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        raise PasskeyRefused(words) from error


def _named(known_ids: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known_ids]
