"""A passkey as a device makes it, for tests without a browser."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _HAS_KEY = 0x01, 0x04, 0x40


@dataclass
class Device:
    """One key on one device, which always finds its user verified."""

    origin: str = "http://localhost"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def made(self, question: str) -> dict[str, Any]:
        """Answer the question for a new passkey."""
        numbers = self.key.public_key().public_numbers()
        x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self._about(question, _PRESENT | _VERIFIED | _HAS_KEY)
        data += bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        told = self._told("webauthn.create", question)
        return self._answer(attestationObject=_b64(statement), clientDataJSON=_b64(told))

    def signed(self, question: str) -> dict[str, Any]:
        """Answer the question who one is."""
        data, told = (
            self._about(question, _PRESENT | _VERIFIED),
            self._told("webauthn.get", question),
        )
        signature = self.key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            authenticatorData=_b64(data), clientDataJSON=_b64(told), signature=_b64(signature)
        )

    def _about(self, question: str, flags: int) -> bytes:
        asked = json.loads(question)
        site = asked.get("rpId") or asked["rp"]["id"]
        return hashlib.sha256(site.encode()).digest() + bytes([flags]) + bytes(4)

    def _told(self, kind: str, question: str) -> bytes:
        asked = {"type": kind, "challenge": json.loads(question)["challenge"]}
        return json.dumps(asked | {"origin": self.origin}).encode()

    def _answer(self, **response: str) -> dict[str, Any]:
        name = _b64(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
