"""A telephone company that stores what it is given and sends nothing.

Every text becomes one line of ``instance/console-sms.jsonl`` (mode 600), so that a
restart can look up what had already gone out, as it would with a real carrier. The
pages show the same texts from our own rows. Numbers and words are encrypted as they
are there: a trial is with real patients, too.
"""

import json
import logging
import os
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from outreach import sealing
from outreach.clock import Clock
from outreach.telephony.gateway import (
    Answer,
    BadSignature,
    CallPicture,
    DeliveryReport,
    InboundSms,
    ListedSms,
    OutboundCall,
    OutboundSms,
    ProviderReceipt,
    Refused,
    SignedRequest,
    VoiceNews,
)

log = logging.getLogger(__name__)

_PLACE = "console-sms.text"


class ConsoleGateway:
    """The carrier used until Twilio is configured, and in a trial.

    ``only_to``: where it is not empty, texts to any other number are refused.
    """

    name = "console"
    can_call = False

    def __init__(self, path: Path, clock: Clock, *, only_to: frozenset[str] = frozenset()) -> None:
        self._only_to = only_to
        self._path = path
        self._clock = clock

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Store one text durably; log its id and length only."""
        if self._only_to and sms.to not in self._only_to:
            raise Refused("this number is not on the list of the trial")
        line = json.dumps(
            {
                "reference": sms.reference,
                "sent_at": self._clock().isoformat(),
                "text": sealing.cipher().encrypt(
                    json.dumps({"to": sms.to, "body": sms.body}).encode(), place=_PLACE
                ),
            }
        )
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, f"{line}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        log.info("console carrier took message %s, %s characters", sms.reference, len(sms.body))
        return ProviderReceipt(f"console-{sms.reference}")

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Return the receipt of a text stored at or after ``since``."""
        del not_these  # our own reference is kept beside each text
        for kept in self._kept(since):
            if kept["reference"] == sms.reference and kept["to"] == sms.to:
                return ProviderReceipt(f"console-{sms.reference}")
        return None

    def list_sms(self, *, since: datetime) -> list[ListedSms]:
        """Return the texts stored at or after ``since``."""
        return [
            ListedSms(
                f"console-{kept['reference']}",
                kept["to"],
                kept["body"],
                datetime.fromisoformat(kept["sent_at"]),
            )
            for kept in self._kept(since)
        ]

    def _kept(self, since: datetime) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                kept = json.loads(line)
                if datetime.fromisoformat(kept["sent_at"]) >= since:
                    yield kept | _opened(kept)

    def read_report(self, request: SignedRequest) -> DeliveryReport:
        """Refuse: nobody reports about texts that were never sent."""
        del request
        raise BadSignature("The console carrier sends no reports.")

    def read_inbound(self, request: SignedRequest) -> InboundSms:
        """Refuse: nobody can text a carrier that is not there."""
        del request
        raise BadSignature("The console carrier takes no texts in.")

    def place_call(self, call: OutboundCall) -> ProviderReceipt:
        """Refuse: callers dial on their own telephone here."""
        del call
        raise Refused("The console carrier makes no calls.")

    def find_call(
        self, call: OutboundCall, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Return nothing: no call was ever taken."""
        del call, since, not_these
        return None

    def look_up_call(self, provider_id: str) -> CallPicture | None:
        """Return nothing: no call was ever taken."""
        del provider_id
        return None

    def hang_up(self, provider_id: str) -> None:
        """Do nothing: there is no call to end."""
        del provider_id

    def read_voice(self, request: SignedRequest) -> VoiceNews:
        """Refuse: nobody reports about calls that were never made."""
        del request
        raise BadSignature("The console carrier makes no calls.")

    def document(self, answer: Answer) -> str:
        """Return nothing: nobody asks."""
        del answer
        return ""


def _opened(kept: dict[str, Any]) -> dict[str, str]:
    """Return number and words of a line; those of earlier releases stand in it as they are."""
    if "text" not in kept:
        return {}
    found: dict[str, str] = json.loads(sealing.cipher().decrypt(kept["text"], place=_PLACE))
    return found
