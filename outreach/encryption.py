"""Encrypting single values at rest, and finding them again without decrypting.

AES-256-GCM with a fresh 96-bit nonce for each value; the key's id stands in the value, so that
old values stay readable while new ones take the newest key. What is looked up, as a number is,
takes AES-256-SIV (RFC 5297) instead: the same value gives the same text, so that a database can
compare, join and keep it unique; who steals it sees only which ones are alike. Those values and
keyed hashes all use the oldest key, since two that are compared must have used the same one.
Knows no table and no setting.
"""

import hmac
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
_SIV_KEY_BYTES = 64
_FORMAT = "v1"
_PLACES = 1000  # more than columns times keys
_REMEMBERED = 10_000  # numbers of a batch of texts, names of all who work here
_ALIKE = "s1"  # the form of values that are looked up
FORMS = (_FORMAT, _ALIKE)


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
    """Encrypts with the newest in use of several keys, decrypts with the one that a value names.

    Args:
        keys: oldest first; the first makes what is looked up.
        encrypting: the id of the one that encrypts; the last where none is named. Those behind
            it are known already and not used yet.
    """

    def __init__(self, keys: Sequence[DataKey], encrypting: str | None = None) -> None:
        if not keys:
            raise ValueError("There is no data key.")
        encrypting = encrypting or keys[-1].id
        # Two uses of one secret never share a key.
        self._sealing = {key.id: AESGCM(_derived(key, b"encrypt")) for key in keys}
        self._alike = {key.id: AESSIV(_derived(key, b"look up", _SIV_KEY_BYTES)) for key in keys}
        self._indexing = {key.id: _derived(key, b"index") for key in keys}
        # The same number stands in several tables, and is compared in each.
        self._opened = lru_cache(_REMEMBERED)(self._open_alike)
        self.newest, self.oldest = encrypting, keys[0].id

    def encrypt(self, plain: bytes, *, place: str = "") -> str:
        """Return ``plain`` encrypted, as text.

        ``place``, as ``authenticator.secret``, must be the same when decrypting: a value that
        was copied into another column is refused.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._sealing[self.newest].encrypt(nonce, plain, _bound(self.newest, place))
        return f"{_FORMAT}.{self.newest}.{_as_text(nonce + sealed)}"

    def decrypt(self, value: str, *, place: str = "") -> bytes:
        """Return what was encrypted.

        Raises:
            CannotDecrypt: unknown key, changed value, or another ``place``.
        """
        try:
            form, key_id, body = value.split(".")
            raw = _as_bytes(body)
            if form != _FORMAT:
                raise CannotDecrypt("The value has an unknown form.")
            sealing = self._sealing[key_id]
            return sealing.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(key_id, place))
        except (ValueError, KeyError, InvalidTag) as error:
            raise CannotDecrypt("The value can't be decrypted with the keys at hand.") from error

    def encrypt_alike(self, plain: bytes, *, place: str) -> str:
        """Return ``plain`` encrypted so that the same plain text at a place gives the same."""
        sealed = self._alike[self.oldest].encrypt(plain, [_bound(self.oldest, place)])
        return f"{_ALIKE}.{self.oldest}.{_as_text(sealed)}"

    def decrypt_alike(self, value: str, *, place: str) -> bytes:
        """Return what :meth:`encrypt_alike` encrypted.

        Raises:
            CannotDecrypt: unknown key, changed value, or another ``place``.
        """
        return self._opened(value, place)

    def _open_alike(self, value: str, place: str) -> bytes:
        try:
            form, key_id, body = value.split(".")
            if form != _ALIKE:
                raise CannotDecrypt("The value has an unknown form.")
            raw = _as_bytes(body)
            return self._alike[key_id].decrypt(raw, [_bound(key_id, place)])
        except (ValueError, KeyError, InvalidTag) as error:
            raise CannotDecrypt("The value can't be decrypted with the keys at hand.") from error

    def is_newest(self, value: str) -> bool:
        """Say whether ``value`` was encrypted with the newest key; rotation does the others."""
        return value.startswith(f"{_FORMAT}.{self.newest}.")

    def blind_index(self, value: str) -> str:
        """Return a keyed hash of ``value`` to look it up by: HMAC-SHA256, 64 hexadecimal digits."""
        return _hashed(self._indexing[self.newest], value).hex()

    def blind_indexes(self, value: str) -> list[str]:
        """Return the hash of ``value`` under every key, for a look-up while keys rotate."""
        return [_hashed(key, value).hex() for key in self._indexing.values()]

    def keyed_hash(self, value: str, *, place: str) -> bytes:
        """Return the hash, 32 bytes, by which values are compared that need never be read."""
        return _hashed(self._indexing[self.oldest], f"{place}\0{value}")


def key_of(value: str) -> str | None:
    """Return the id of the key that an encrypted ``value`` names; None where it names none."""
    form, _, rest = value.partition(".")
    return rest.partition(".")[0] if form in FORMS else None


def _derived(key: DataKey, purpose: bytes, length: int = KEY_BYTES) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"outreach " + purpose).derive(key.secret)


@lru_cache(_PLACES)
def _bound(key_id: str, place: str) -> bytes:
    return f"{_FORMAT}.{key_id}.{place}".encode()


# As base64.urlsafe_b64encode and -decode, which take thrice as long: a file has a million values.


def _as_text(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).decode().replace("+", "-").replace("/", "_")


def _as_bytes(text: str) -> bytes:
    return a2b_base64(text.replace("-", "+").replace("_", "/"))


def _hashed(key: bytes, value: str) -> bytes:
    return hmac.digest(key, value.encode(), "sha256")
