"""The forms of the monthly question, and of the questionnaire on working life."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectChoice
from wtforms.validators import InputRequired, Optional

from outreach.pulse.labels import ANSWER_WORDS, QUESTION
from outreach.questionnaires.labels import answers_of
from outreach.questionnaires.rules import Instrument


class AnswerForm(FlaskForm):
    """One of five answers, in order, to the question of the month that was on the page."""

    month = HiddenField()

    answer = RadioField(
        QUESTION,
        choices=[SelectChoice(str(each), words) for each, words in ANSWER_WORDS.items()],
        validators=[InputRequired()],
    )


class WorkLifeForm(FlaskForm):
    """Every item of a questionnaire about oneself; each may be left out."""

    quarter = HiddenField()
    instrument: Instrument

    @classmethod
    def of(cls, instrument: Instrument, given: Mapping[int, int]) -> "WorkLifeForm":
        """Return the form of ``instrument``, with what was answered before."""
        choices = [SelectChoice(value, label) for value, label in answers_of(instrument)]
        fields: dict[str, Any] = {
            f"item_{item.number}": RadioField(
                f"{item.number}. {item.text}", choices=choices, validators=[Optional()]
            )
            for item in instrument.items
        }
        made = type("WorkLifeForm", (cls,), {**fields, "instrument": instrument})
        form: WorkLifeForm = made(
            data={f"item_{number}": str(answer) for number, answer in given.items()}
        )
        return form

    @property
    def rows(self) -> list[RadioField]:
        """The items in their order."""
        return [self[f"item_{item.number}"] for item in self.instrument.items]

    @property
    def given(self) -> dict[int, int]:
        """What was answered, by the number of the item."""
        pairs = zip(self.instrument.items, self.rows, strict=True)
        return {item.number: int(field.data) for item, field in pairs if field.data}

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse a page on which nothing was answered."""
        if not super().validate(extra_validators):
            return False
        if not self.given:
            self.form_errors.append(_("Answer at least one question."))
        return bool(self.given)
