"""A carrier at its worst: lists that lag, answers that get lost, reports twice and in any order."""

import random
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from outreach.errors import ProviderUnavailable
from outreach.telephony.gateway import (
    DeliveryReport,
    DeliveryStatus,
    OutboundSms,
    OutcomeUnknown,
    ProviderReceipt,
    Refused,
    TooFast,
)
from tests.fakes import FakeGateway


class Killed(BaseException):
    """The end of our own process: nothing catches it."""


@dataclass
class RoughCarrier(FakeGateway):
    """Takes texts as real carriers do on a bad day; ``trouble`` is how often, from 0 to 1.

    ``reports`` are those it will send, each with the id of the text. Its list shows a text
    only some minutes after it was taken.
    """

    rng: random.Random = field(default_factory=random.Random)
    trouble: float = 0.3
    kills: float = 0.02
    reports: list[tuple[int, DeliveryReport]] = field(default_factory=list)
    listed_after: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Take one text, or fail in one of the ways that carriers have."""
        with self._lock:
            return self._send(sms)

    def _send(self, sms: OutboundSms) -> ProviderReceipt:
        if self.rng.random() < self.kills:
            raise Killed
        if self.rng.random() >= self.trouble:
            return self._keep(sms)
        how = self.rng.choice(("429", "500", "500 taken", "lost", "dead after", "gone", "refused"))
        if how == "429":
            raise TooFast("429", self.rng.choice((None, timedelta(seconds=40))))
        if how in ("500 taken", "lost"):
            self._keep(sms)
        if how in ("500", "500 taken", "lost"):
            raise OutcomeUnknown(how)
        if how == "gone":
            raise ProviderUnavailable("no connection")
        if how == "refused":
            raise self.rng.choice((Refused("21606"), Refused("30034")))
        self._keep(sms)
        raise Killed

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Look through a list that lags behind, and sometimes does not answer."""
        if self.rng.random() < self.trouble / 2:
            raise ProviderUnavailable("no connection")
        for at, taken in reversed(self.taken):
            sid = f"SM{taken.reference:032d}"
            is_same = (taken.to, taken.body) == (sms.to, sms.body) and at >= since
            if is_same and sid not in not_these and self.listed_after[sid] <= self.clock():
                return ProviderReceipt(sid)
        return None

    def _keep(self, sms: OutboundSms) -> ProviderReceipt:
        sid = f"SM{sms.reference:032d}"
        self.taken.append((self.clock(), sms))
        self.listed_after[sid] = self.clock() + timedelta(minutes=self.rng.choice((0, 1, 3, 25)))
        last = self.rng.choice((DeliveryStatus.DELIVERED,) * 9 + (DeliveryStatus.UNDELIVERED,))
        reports = [DeliveryReport(sid, each) for each in (DeliveryStatus.SENT, last)]
        self.reports += [(sms.reference, each) for each in reports * self.rng.choice((1, 2))]
        return ProviderReceipt(sid)
