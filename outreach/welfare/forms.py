"""Forms of welfare checks."""

import phonenumbers
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    SelectChoice,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, ValidationError

from outreach.web.phones import as_written
from outreach.welfare.labels import OUTCOME_WORDS, STEP_WORDS
from outreach.welfare.models import EmergencyContact
from outreach.welfare.rules import Outcome, StepKind

_MOST = Length(max=4000, message=_l("Use at most 4,000 characters."))


class StepForm(FlaskForm):
    """What was tried, and what came of it."""

    kind = SelectField(
        _l("What was tried"),
        choices=[
            SelectChoice(kind.value, words)
            for kind, words in STEP_WORDS.items()
            if kind is not StepKind.CLOSED
        ],
    )
    note = TextAreaField(
        _l("What came of it"), validators=[DataRequired(_l("Write what came of it.")), _MOST]
    )

    @property
    def tried(self) -> StepKind:
        """What was tried."""
        return StepKind(self.kind.data)


class CloseForm(FlaskForm):
    """How a check ends."""

    outcome = SelectField(
        _l("How it ends"),
        choices=[
            SelectChoice("", _l("choose")),
            *(SelectChoice(each.value, words) for each, words in OUTCOME_WORDS.items()),
        ],
        validators=[DataRequired(_l("Choose how it ends."))],
    )
    note = TextAreaField(
        _l("What is known"), validators=[DataRequired(_l("Write what is known.")), _MOST]
    )

    @property
    def ended(self) -> Outcome:
        """How it ends."""
        return Outcome(self.outcome.data)

    def refuse(self, missing: tuple[StepKind, ...]) -> None:
        """Say what has to be tried first."""
        names = ", ".join(str(STEP_WORDS[each]) for each in missing)
        self.outcome.errors = [_("Without news, first note: %(steps)s.", steps=names)]


class ContactForm(FlaskForm):
    """Whom to ring where nobody reaches the patient, and whether the patient agreed."""

    name = StringField(_l("Name"), validators=[Length(max=120)])
    relation = StringField(_l("Who they are to the patient"), validators=[Length(max=60)])
    phone = TelField(_l("Number"), validators=[Length(max=40)])
    is_agreed = BooleanField(_l("The patient agreed that we ring this person about them"))

    region: str
    e164: str

    @classmethod
    def of(cls, contact: EmergencyContact | None, region: str) -> "ContactForm":
        """Return the form with what is known; numbers as the clinic dials them."""
        known = (
            {
                "name": contact.name,
                "relation": contact.relation,
                "phone": as_written(contact.e164) if contact.e164 else "",
                "is_agreed": contact.is_agreed,
            }
            if contact
            else {}
        )
        form = cls(data=known)
        form.region, form.e164 = region, ""
        return form

    def validate_phone(self, field: TelField) -> None:
        """Ask for a number that can be rung where there is a name, and for a name with it."""
        written = (field.data or "").strip()
        if bool(written) != bool((self.name.data or "").strip()):
            raise ValidationError(_l("Write both name and number, or neither."))
        if not written:
            return
        try:
            parsed = phonenumbers.parse(written, self.region)
        except phonenumbers.NumberParseException as error:
            raise ValidationError(_l("Enter a phone number with its area code.")) from error
        if not phonenumbers.is_valid_number(parsed):
            raise ValidationError(_l("No such number exists: check the digits and area code."))
        self.e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
