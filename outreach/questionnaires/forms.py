"""The form of one questionnaire, made from its items."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from outreach.questionnaires.asking import Answered
from outreach.questionnaires.labels import FREQUENCIES
from outreach.questionnaires.rules import Instrument, InstrumentCode

_BY_FREQUENCY = (InstrumentCode.PHQ_2, InstrumentCode.PHQ_9, InstrumentCode.GAD_7)


class AnswersForm(FlaskForm):
    """One radio group an item; an item may stay without an answer."""

    form_key = HiddenField(validators=[InputRequired(), Length(max=40)])
    instrument: Instrument

    @classmethod
    def of(cls, instrument: Instrument, form_key: str, begun: Mapping[int, int]) -> "AnswersForm":
        """Return the form of ``instrument``, with answers that are known already."""
        fields: dict[str, Any] = {
            _name(item.number): RadioField(
                item.text, choices=_choices(instrument), validators=[Optional()]
            )
            for item in instrument.items
        }
        made = type("AnswersForm", (cls,), {**fields, "instrument": instrument})
        known = {_name(number): str(answer) for number, answer in begun.items()}
        form: AnswersForm = made(data={"form_key": form_key, **known})
        return form

    @property
    def items(self) -> list[RadioField]:
        """The radio groups, in order."""
        return [self[_name(item.number)] for item in self.instrument.items]

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse a page without a single answer."""
        if not super().validate(extra_validators=extra_validators):
            return False
        if not self.to_answered().answers:
            self.form_errors.append(_l("Answer at least one question."))
            return False
        return True

    def to_answered(self) -> Answered:
        """Return what was answered."""
        answers = {
            item.number: int(data)
            for item in self.instrument.items
            if (data := self[_name(item.number)].data)
        }
        return Answered(self.form_key.data or "", self.instrument.code, answers)


def _name(number: int) -> str:
    return f"item_{number}"


def _choices(instrument: Instrument) -> list[SelectChoice]:
    low, high = instrument.answers
    if instrument.code in _BY_FREQUENCY:
        return [SelectChoice(str(index), words) for index, words in enumerate(FREQUENCIES)]
    return [SelectChoice(str(answer), str(answer)) for answer in range(low, high + 1)]
