"""Every state has words."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from outreach.calls.rules import Outcome
from outreach.chart import labels
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.messaging.rules import MessageStatus, SkipReason
from outreach.panels.forms import LEFT_OUT
from outreach.panels.rules import ChangeReason, LeftOut
from outreach.patients import labels as patient_labels
from outreach.patients.rules import ConsentSource, Daypart, NumberHealth
from outreach.programmes import labels as programme_labels
from outreach.programmes.rules import EnrolmentStatus, PauseReason, Rhythm
from outreach.programmes.rules.checking import Flaw
from outreach.protocols import labels as protocol_labels
from outreach.protocols.rules import Pick


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (Outcome, labels.OUTCOMES),
        (EnrolmentStatus, labels.STATUSES),
        (EnrolmentStatus, labels.STATUS_STEPS),
        (EnrolmentStatus, labels.STATUS_CHANGES),
        (PauseReason, programme_labels.PAUSE_REASONS),
        (Rhythm, programme_labels.RHYTHMS),
        (Flaw, programme_labels.FLAWS),
        (Pick, protocol_labels.PICKS),
        (MessageStatus, labels.MESSAGES),
        (SkipReason, labels.SKIPS),
        (MeasureKind, labels.MEASURES),
        (ReadingSource, labels.READING_SOURCES),
        (ConcernKind, labels.CONCERNS),
        (Urgency, labels.URGENCIES),
        (ConcernStatus, labels.CONCERN_STATUSES),
        (ChangeReason, labels.CHANGE_REASONS),
        (LeftOut, LEFT_OUT),
        (Daypart, patient_labels.DAYPARTS),
        (NumberHealth, patient_labels.HEALTHS),
        (ConsentSource, patient_labels.CONSENT_SOURCES),
    ],
)
def test_every_member_has_words(members: type[StrEnum], words: Mapping[StrEnum, object]) -> None:
    assert set(words) == set(members)
