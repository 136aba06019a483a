"""Everything that a page of texts shows has words."""

import enum

import pytest

from outreach.messaging import labels
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason, TryResult
from outreach.telephony.gateway import DeliveryStatus


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (labels.KIND_WORDS, MessageKind),
        (labels.STATUS_WORDS, MessageStatus),
        (labels.SKIP_WORDS, SkipReason),
        (labels.TRY_WORDS, TryResult),
        (labels.REPORT_WORDS, DeliveryStatus),
    ],
)
def test_nothing_is_shown_without_words(
    words: dict[object, object], shown: type[enum.Enum]
) -> None:
    assert set(words) == set(shown)
