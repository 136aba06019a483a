"""What is pressed on a questionnaire, and forms of the permission to use it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from outreach.questionnaires.item_by_item import Said
from outreach.questionnaires.licences import Permission
from outreach.questionnaires.rules import Instrument, Skip

MOST_KEY = 40  # characters of a form's key


def said_from(posted: Mapping[str, str], instrument: Instrument) -> tuple[Said, Skip | None]:
    """Return what was pressed on the call screen, and why the rest is skipped, if it is.

    A press is one field: ``item_3=2``, ``skip_3=declined`` or ``rest=declined``.

    Raises:
        ValueError: it is no answer, or no reason.
    """
    answers, skips = {}, {}
    for item in instrument.every_item:
        if answer := posted.get(f"item_{item.number}"):
            answers[item.number] = int(answer)
        if reason := posted.get(f"skip_{item.number}"):
            skips[item.number] = Skip(reason)
    form_key, rest = posted.get("form_key", ""), posted.get("rest")
    if not 0 < len(form_key) <= MOST_KEY or not (answers or skips or rest):
        raise ValueError("Nothing was answered.")
    said = Said(form_key, answers, skips, posted.get("after", ""))
    return said, Skip(rest) if rest else None


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
                _("Lines: %(found)s. There are %(wanted)s answers.", found=words, wanted=answers)
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
