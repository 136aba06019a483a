"""Forms of one questionnaire, made from its items, and of the permission to use it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectChoice,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from outreach.questionnaires.asking import Answered
from outreach.questionnaires.labels import FREQUENCIES
from outreach.questionnaires.licences import Permission
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


class PermissionForm(FlaskForm):
    """A permission to use a licensed questionnaire, with the wording that its owner gave."""

    granted_by = StringField(
        _l("Who gives the permission"),
        validators=[DataRequired(_l("Write who gives it.")), Length(max=200)],
    )
    granted_on = DateField(_l("Since"), validators=[InputRequired(_l("Choose the day."))])
    wording = TextAreaField(
        _l("The permission in its own words"),
        validators=[DataRequired(_l("Paste the permission.")), Length(max=10_000)],
    )
    introduction = TextAreaField(
        _l("Said before the first question"), validators=[Optional(), Length(max=1_000)]
    )
    items = TextAreaField(
        _l("Questions, one a line"),
        validators=[DataRequired(_l("Paste the questions.")), Length(max=10_000)],
    )
    answer_words = TextAreaField(
        _l("Answers from low to high, one a line; nothing for plain numbers"),
        validators=[Optional(), Length(max=1_000)],
    )
    is_permitted = BooleanField(
        _l("We have this permission, and it covers our use"),
        validators=[InputRequired(_l("Without the permission it is not asked."))],
    )
    instrument: Instrument
    today: date

    @classmethod
    def of(cls, instrument: Instrument, today: date) -> "PermissionForm":
        """Return the form of one licensed questionnaire."""
        made = type("PermissionForm", (cls,), {"instrument": instrument, "today": today})
        form: PermissionForm = made()
        return form

    def validate(self, extra_validators: Any = None) -> bool:
        """Hold the number of lines against the questionnaire."""
        if not super().validate(extra_validators=extra_validators):
            return False
        found, wanted = len(_lines(self.items.data)), len(self.instrument.items)
        if found != wanted:
            self.items.errors = [
                _("%(found)s lines; this questionnaire has %(wanted)s.", found=found, wanted=wanted)
            ]
        low, high = self.instrument.answers
        words, answers = len(_lines(self.answer_words.data)), high - low + 1
        if words not in {0, answers}:
            self.answer_words.errors = [
                _("%(found)s lines; there are %(wanted)s answers.", found=words, wanted=answers)
            ]
        if self.granted_on.data > self.today:
            self.granted_on.errors = [_("That is still to come.")]
        return not self.errors

    def to_permission(self) -> Permission:
        """Return what was stated."""
        return Permission(
            granted_by=self.granted_by.data.strip(),
            granted_on=self.granted_on.data,
            wording=self.wording.data.strip(),
            introduction=(self.introduction.data or "").strip(),
            items=_lines(self.items.data),
            answer_words=_lines(self.answer_words.data),
        )


class WithdrawalForm(FlaskForm):
    """Why a permission is no more."""

    reason = StringField(_l("Why"), validators=[DataRequired(_l("Say why.")), Length(max=500)])


def _lines(text: str | None) -> tuple[str, ...]:
    return tuple(line.strip() for line in (text or "").splitlines() if line.strip())


def _name(number: int) -> str:
    return f"item_{number}"


def _choices(instrument: Instrument) -> list[SelectChoice]:
    low, high = instrument.answers
    if instrument.answer_words:
        worded = enumerate(instrument.answer_words, start=low)
        return [SelectChoice(str(answer), words) for answer, words in worded]
    if instrument.code in _BY_FREQUENCY:
        return [SelectChoice(str(index), words) for index, words in enumerate(FREQUENCIES)]
    return [SelectChoice(str(answer), str(answer)) for answer in range(low, high + 1)]
