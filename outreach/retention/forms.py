"""Forms of holds, requests and a clinic's years."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectChoice, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from outreach.retention import labels
from outreach.retention.deletions import Asked, Decided
from outreach.retention.rules import (
    FEWEST_YEARS,
    LONGEST_REASON,
    MOST_YEARS,
    AskedBy,
    Decision,
    Ground,
)
from outreach.web.number_fields import WholeField

_LENGTH = Length(min=5, max=LONGEST_REASON, message=_l("Say why, in 5 to 500 characters."))


class ReasonForm(FlaskForm):
    """Why a hold is placed or lifted."""

    reason = TextAreaField(_l("Reason"), validators=[InputRequired(_l("Say why.")), _LENGTH])


class YearsForm(FlaskForm):
    """After how many years a clinic anonymises; empty: never."""

    years = WholeField(
        _l("Years after the programme"),
        validators=[
            Optional(),
            NumberRange(
                FEWEST_YEARS, MOST_YEARS, message=_l("From 6 to 30 years, or nothing at all.")
            ),
        ],
    )


class RequestForm(FlaskForm):
    """Who asked for deletion, when and how."""

    asked_by = SelectField(
        _l("Who asked"),
        choices=[SelectChoice(each.value, words) for each, words in labels.ASKED_BY.items()],
    )
    asked_on = DateField(
        _l("On which day"), validators=[InputRequired(_l("Enter the day on which they asked."))]
    )
    note = TextAreaField(
        _l("How they asked"), validators=[InputRequired(_l("Say how they asked.")), _LENGTH]
    )

    def is_past(self, today: date) -> bool:
        """Say whether the day is over or today; else say so beside the field."""
        if self.asked_on.data and self.asked_on.data > today:
            self.asked_on.errors = [_("This day is still to come.")]
        return not self.asked_on.errors

    def to_asked(self) -> Asked:
        """Return what was entered."""
        return Asked(AskedBy(self.asked_by.data), self.asked_on.data, self.note.data or "")


class DecisionForm(FlaskForm):
    """Granted, or refused on a ground."""

    decision = SelectField(
        _l("Decision"),
        choices=[
            SelectChoice(Decision.REFUSED.value, _l("Refuse")),
            SelectChoice(
                Decision.GRANTED.value, _l("Grant: names, numbers and texts are removed for good")
            ),
            SelectChoice(Decision.WITHDRAWN.value, _l("They took it back")),
        ],
    )
    ground = SelectField(
        _l("Ground of a refusal"),
        choices=[
            SelectChoice("", _l("None")),
            *(SelectChoice(each.value, words) for each, words in labels.GROUNDS.items()),
        ],
    )
    explanation = TextAreaField(
        _l("Explanation"), validators=[InputRequired(_l("Explain it.")), _LENGTH]
    )

    def is_whole(self) -> bool:
        """Say whether a refusal, and nothing else, names its ground."""
        is_refusal = self.decision.data == Decision.REFUSED.value
        if is_refusal and not self.ground.data:
            self.ground.errors = [_("Choose the ground on which the law lets you refuse.")]
        return not self.ground.errors

    def to_decided(self) -> Decided:
        """Return what was entered."""
        decision = Decision(self.decision.data)
        ground = Ground(self.ground.data) if decision is Decision.REFUSED else None
        return Decided(decision, ground, self.explanation.data or "")
