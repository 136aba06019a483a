"""Every state has words, and values have both units."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import pytest
from flask import Flask
from flask_babel import Babel

from outreach.calls.rules import Outcome
from outreach.chart import labels
from outreach.chart.rules import Show
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.messaging.rules import MessageStatus, SkipReason
from outreach.panels.forms import LEFT_OUT
from outreach.panels.rules import ChangeReason, LeftOut
from outreach.patients import labels as patient_labels
from outreach.patients.rules import ConsentSource, Daypart, NumberHealth
from outreach.programmes.rules import EnrolmentStatus


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (Outcome, labels.OUTCOMES),
        (EnrolmentStatus, labels.STATUSES),
        (EnrolmentStatus, labels.STATUS_STEPS),
        (MessageStatus, labels.MESSAGES),
        (SkipReason, labels.SKIPS),
        (MeasureKind, labels.MEASURES),
        (ReadingSource, labels.READING_SOURCES),
        (ConcernKind, labels.CONCERNS),
        (Urgency, labels.URGENCIES),
        (ConcernStatus, labels.CONCERN_STATUSES),
        (ChangeReason, labels.CHANGE_REASONS),
        (Show, labels.SHOWN),
        (LeftOut, LEFT_OUT),
        (Daypart, patient_labels.DAYPARTS),
        (NumberHealth, patient_labels.HEALTHS),
        (ConsentSource, patient_labels.CONSENT_SOURCES),
    ],
)
def test_every_member_has_words(
    members: type[StrEnum], words: Mapping[StrEnum, object]
) -> None:
    assert set(words) == set(members)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (MeasureKind.HBA1C, "8.5", "8.5 % (69 mmol/mol)"),
        (MeasureKind.GLUCOSE, "126", "126 mg/dL (7 mmol/L)"),
        (MeasureKind.GLUCOSE_FASTING, "100", "100 mg/dL (5.6 mmol/L)"),
        (MeasureKind.SYSTOLIC, "140", "140 mmHg"),
        (MeasureKind.DIASTOLIC, "85", "85 mmHg"),
        (MeasureKind.WEIGHT, "82.4", "82.4 kg"),
        (MeasureKind.PHQ9_TOTAL, "7", "7 of 27"),
    ],
)
def test_values_are_written_in_both_units_in_use(
    kind: MeasureKind, value: str, words: str
) -> None:
    app = Flask("labels")
    Babel(app)

    with app.test_request_context():
        assert labels.reading_value(kind, Decimal(value)) == words
