"""Encrypting single values at rest, and finding them again without decrypting.

AES-256-GCM with a fresh 96-bit nonce for each value; the key's id stands in the value, so that
old values stay readable while new ones take the newest key. Knows no table and no setting.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = "v1"


class CannotDecrypt(ValueError):
    """The value was encrypted with a key that is not here, was changed, or is of another place."""


@dataclass(frozen=True, repr=False)
class DataKey:
    """One key, 32 random bytes, and the id by which values name it (no full stop in it)."""

    id: str
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES or not self.id or "." in self.id:
            raise ValueError("A data key has an id without a full stop and 32 bytes.")


class Cipher:
    """Encrypts with the newest of several keys, decrypts with the one that a value names.

    Args:
        keys: oldest first; the last encrypts.
    """

    def __init__(self, keys: Sequence[DataKey]) -> None:
        if not keys:
            raise ValueError("There is no data key.")
        # Two uses of one secret never share a key.
        self._sealing = {key.id: AESGCM(_derived(key, b"encrypt")) for key in keys}
        self._indexing = [_derived(key, b"index") for key in keys]
        self._newest = keys[-1].id

    def encrypt(self, plain: bytes, *, place: str = "") -> str:
        """Return ``plain`` encrypted, as text.

        ``place``, as ``authenticator.secret``, must be the same when decrypting: a value that
        was copied into another column is refused.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._sealing[self._newest].encrypt(nonce, plain, _bound(self._newest, place))
        return f"{_FORMAT}.{self._newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, value: str, *, place: str = "") -> bytes:
        """Return what was encrypted.

        Raises:
            CannotDecrypt: unknown key, changed value, or another ``place``.
        """
        try:
            form, key_id, body = value.split(".")
            raw = base64.urlsafe_b64decode(body)
            if form != _FORMAT:
                raise CannotDecrypt("The value has an unknown form.")
            sealing = self._sealing[key_id]
            return sealing.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(key_id, place))
        except (ValueError, KeyError, InvalidTag) as error:
            raise CannotDecrypt("The value can't be decrypted with the keys at hand.") from error

    def is_newest(self, value: str) -> bool:
        """Say whether ``value`` was encrypted with the newest key; rotation does the others."""
        return value.startswith(f"{_FORMAT}.{self._newest}.")

    def blind_index(self, value: str) -> str:
        """Return a keyed hash of ``value`` to look it up by: HMAC-SHA256, 64 hexadecimal digits."""
        return _hashed(self._indexing[-1], value)

    def blind_indexes(self, value: str) -> list[str]:
        """Return the hash of ``value`` under every key, for a look-up while keys rotate."""
        return [_hashed(key, value) for key in self._indexing]


def _derived(key: DataKey, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"outreach " + purpose).derive(key.secret)


def _bound(key_id: str, place: str) -> bytes:
    return f"{_FORMAT}.{key_id}.{place}".encode()


def _hashed(key: bytes, value: str) -> str:
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()
