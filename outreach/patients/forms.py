"""Forms about a patient: details, a new number, consent to texts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any, Self

import phonenumbers
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    Field,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.patients import labels
from outreach.patients.dead_numbers import Learnt
from outreach.patients.models import Patient
from outreach.patients.registry import Details, OfRecord
from outreach.patients.rules import (
    TOPICS,
    Channel,
    ConsentSource,
    ConsentTopic,
    Daypart,
    Sex,
    may_be_alive,
)

_ABOUT_LENGTH = 4000
_YES_OR_NO = {"yes": True, "no": False, "": None}
_TOLD = {answer: word for word, answer in _YES_OR_NO.items()}


class _CheckBoxes(SelectMultipleField):
    """Any number of choices, each a check box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _yes_or_no(asks: LazyString) -> RadioField:
    """Return the field of something that patients are asked once, and may answer anew."""
    return RadioField(
        asks,
        choices=[
            SelectChoice("yes", _l("Yes")),
            SelectChoice("no", _l("No")),
            SelectChoice("", _l("Not asked yet")),
        ],
        validators=[Optional()],
    )


class DetailsForm(FlaskForm):
    """What staff may change about a patient."""

    preferred_name = StringField(_l("Goes by"), validators=[Length(max=120)])
    pronouns = StringField(_l("Pronouns"), validators=[Length(max=40)])
    language = SelectField(_l("Language"))
    wished_caller = SelectField(_l("Would rather speak with"))
    zone = SelectField(_l("Time zone"))
    state = SelectField(_l("State"))
    weekdays = _CheckBoxes(_l("Good days for a call"), coerce=int, validators=[Optional()])
    first_daypart = SelectField(_l("Best time of day"))
    second_daypart = SelectField(_l("Next best"))
    voicemail = _yes_or_no(_l("May we leave a voicemail?"))
    welfare_check = _yes_or_no(
        _l("If we can't reach them for a long time: may a nurse make sure that they are well?")
    )
    about = TextAreaField(_l("About this person"), validators=[Length(max=_ABOUT_LENGTH)])
    said_as = StringField(_l("How to say the name"), validators=[Length(max=120)])
    approach = TextAreaField(_l("How to talk with them"), validators=[Length(max=1000)])

    @classmethod
    def of(cls, patient: Patient) -> Self:
        """Return the form with what is known of ``patient``, and what may be chosen."""
        form = cls(data=_known(patient))
        form.language.choices = [
            SelectChoice(code, name) for code, name in labels.languages(also=[patient.language])
        ]
        form.wished_caller.choices = [
            SelectChoice("", _l("anybody")),
            *(SelectChoice(sex.value, words) for sex, words in labels.WISHED.items()),
        ]
        zones = labels.zones(patient.clinic.region, also=[patient.zone, patient.clinic.zone])
        form.zone.choices = [SelectChoice(zone, zone.replace("_", " ")) for zone in zones]
        form.state.choices = [
            SelectChoice("", _l("not known")),
            *(SelectChoice(*each) for each in labels.states(patient.clinic.region, patient.state)),
        ]
        form.weekdays.choices = [SelectChoice(day, labels.weekday_name(day)) for day in range(7)]
        dayparts = [SelectChoice(part.value, labels.DAYPARTS[part]) for part in Daypart]
        form.first_daypart.choices = [SelectChoice("", _l("no preference")), *dayparts]
        form.second_daypart.choices = [SelectChoice("", _l("no second one")), *dayparts]
        return form

    def validate_second_daypart(self, field: Field) -> None:
        """Refuse a second choice without a first one, or the same twice."""
        if field.data and field.data == self.first_daypart.data:
            raise ValidationError(_l("Choose another time of day than the best one."))
        if field.data and not self.first_daypart.data:
            raise ValidationError(_l("Choose the best time of day first."))

    def to_details(self) -> Details:
        """Return the validated answers as the use case wants them."""
        chosen = (self.first_daypart.data, self.second_daypart.data)
        return Details(
            preferred_name=_stripped(self.preferred_name) or None,
            pronouns=_stripped(self.pronouns) or None,
            language=self.language.data,
            zone=self.zone.data,
            state=self.state.data or None,
            weekdays=frozenset(self.weekdays.data or ()),
            dayparts=tuple(Daypart(part) for part in chosen if part),
            is_voicemail_allowed=_YES_OR_NO.get(self.voicemail.data or ""),
            about=_stripped(self.about),
            said_as=_stripped(self.said_as) or None,
            approach=_stripped(self.approach) or None,
            wished_caller=Sex(self.wished_caller.data) if self.wished_caller.data else None,
            is_welfare_check_agreed=_YES_OR_NO.get(self.welfare_check.data or ""),
        )


class RecordForm(DetailsForm):
    """The same, with what only a manager corrects: it comes from the clinic's record."""

    sex = SelectField(
        _l("Sex on record"), choices=[SelectChoice(sex.value, labels.SEXES[sex]) for sex in Sex]
    )
    date_of_birth = DateField(
        _l("Date of birth"), validators=[InputRequired(_l("Enter the date of birth."))]
    )

    today: date  # where the patient lives

    @classmethod
    def on(cls, today: date, patient: Patient) -> Self:
        """Return the form of ``patient`` on their local day."""
        form = cls.of(patient)
        form.today = today
        return form

    def validate_date_of_birth(self, field: Field) -> None:
        """Refuse a day on which nobody was born who lives."""
        if field.data is not None and not may_be_alive(self.today, field.data):
            raise ValidationError(_l("Check the year: nobody of this age can be called."))

    def to_details(self) -> Details:
        """Return the validated answers as the use case wants them."""
        record = OfRecord(Sex(self.sex.data), self.date_of_birth.data or self.today)
        return replace(super().to_details(), record=record)


class NumberForm(FlaskForm):
    """A new number, as people write it in the clinic's country or with a plus."""

    number = TelField(
        _l("New number"), validators=[InputRequired(_l("Enter the number.")), Length(max=40)]
    )

    region: str
    e164: str | None = None  # as it is dialled, once it was found to be one

    @classmethod
    def of(cls, patient: Patient) -> Self:
        """Return an empty form that reads numbers as the patient's clinic dials them."""
        form = cls()
        form.region = patient.clinic.region
        return form

    def validate_number(self, field: Field) -> None:
        """Refuse what can't be dialled."""
        try:
            parsed = phonenumbers.parse(field.data or "", self.region)
        except phonenumbers.NumberParseException as error:
            raise ValidationError(_l("Enter a phone number with its area code.")) from error
        if not phonenumbers.is_valid_number(parsed):
            raise ValidationError(_l("No such number exists: check the digits and area code."))
        self.e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class LearntForm(NumberForm):
    """What was found out about a dead number: words, a number that works, or that all is done."""

    words = TextAreaField(_l("What was learnt"), validators=[Optional(), Length(max=1_000)])
    number = TelField(_l("New number"), validators=[Optional(), Length(max=40)])
    is_resolved = BooleanField(_l("Resolved: nothing more to find out"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse a form that says nothing."""
        if not super().validate(extra_validators=extra_validators):
            return False
        if not (self.words.data or "").strip() and not self.e164 and not self.is_resolved.data:
            self.words.errors = [_l("Write what was learnt, or a number that works.")]
            return False
        return True

    def to_learnt(self) -> Learnt:
        """Return what was written."""
        return Learnt((self.words.data or "").strip(), bool(self.is_resolved.data), self.e164)


class ConsentForm(FlaskForm):
    """Whether calls to one number, and which texts, are welcome, and how we know."""

    calls = RadioField(
        _l("May we call this number?"),
        choices=[SelectChoice("yes", _l("Yes")), SelectChoice("no", _l("No"))],
        validators=[Optional()],
    )
    topics = _CheckBoxes(
        _l("Texts they agree to on this number"),
        choices=[
            SelectChoice(topic.value, labels.CONSENT_TOPICS[topic]) for topic in TOPICS[Channel.SMS]
        ],
        validators=[Optional()],
    )
    source = RadioField(
        _l("How did they say so?"),
        choices=[
            SelectChoice(ConsentSource.CALL.value, _l("On a call")),
            SelectChoice(ConsentSource.FORM.value, _l("On a signed form")),
            SelectChoice(ConsentSource.WEB.value, _l("On a web page")),
        ],
        validators=[InputRequired(_l("Choose how they said so."))],
    )

    @classmethod
    def of(cls, held: Iterable[ConsentTopic], *, calls: bool | None) -> "ConsentForm":
        """Return the form with what they agreed to until now ticked; ``calls`` None: not asked."""
        return cls(data={"topics": [topic.value for topic in held], "calls": _TOLD[calls]})

    @property
    def answer_to_calls(self) -> bool | None:
        """Whether they may be called on this number, None: nothing was said."""
        return _YES_OR_NO.get(self.calls.data or "")  # blanks pass for nothing

    def to_topics(self) -> frozenset[ConsentTopic]:
        """Return what they agree to from now on."""
        return frozenset(map(ConsentTopic, self.topics.data or ()))


def _known(patient: Patient) -> dict[str, Any]:
    liked = [*patient.dayparts, "", ""]
    return {
        "preferred_name": patient.preferred_name,
        "pronouns": patient.pronouns,
        "language": patient.language,
        "wished_caller": patient.wished_caller.value if patient.wished_caller else "",
        "zone": patient.zone,
        "state": patient.state or "",
        "weekdays": sorted(patient.wishes.weekdays),
        "first_daypart": liked[0],
        "second_daypart": liked[1],
        "voicemail": _TOLD[patient.is_voicemail_allowed],
        "welfare_check": _TOLD[patient.is_welfare_check_agreed],
        "about": patient.about,
        "said_as": patient.said_as,
        "approach": patient.approach,
        "sex": patient.sex.value,
        "date_of_birth": patient.date_of_birth,
    }


def _stripped(field: Field) -> str:
    return (field.data or "").strip()
