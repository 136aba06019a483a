"""Forms about callers: their profile, an absence with stand-ins, leaving."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    Field,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.callers import labels
from outreach.callers.absence import Away
from outreach.callers.leaving import Leaving
from outreach.callers.profile import Caller, Profile
from outreach.callers.rules import (
    MOST_WEEKLY_HOURS,
    NotHours,
    Stretch,
    read_stretches,
    written,
)
from outreach.patients import labels as patient_labels
from outreach.patients.rules import Sex
from outreach.web.bounded import whole
from outreach.web.number_fields import DecimalField, WholeField

LONGEST_NOTE = 4000
MOST_PATIENTS = 200
FARTHEST_ABSENCE = timedelta(days=2 * 366)
_WEEK = range(7)


class _CheckBoxes(SelectMultipleField):
    """Any number of choices, each a check box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ShiftField(StringField):
    """The hours of one weekday, as text; ``stretches`` once it is valid."""

    stretches: tuple[Stretch, ...] = ()

    def pre_validate(self, form: BaseForm) -> None:
        """Read the hours, or say what is wrong with them."""
        del form
        try:
            self.stretches = read_stretches(self.data or "")
        except NotHours as error:
            words = {
                "overlap": _l("These hours overlap. Write each hour once."),
                "ends before it begins": _l("Write the earlier time first: 9:00-17:00."),
            }
            unreadable = _l("Write from when to when: 9:00-12:00, 13:00-17:00.")
            raise ValidationError(words.get(str(error), unreadable)) from error


class ProfileForm(FlaskForm):
    """What managers keep of a caller. Shifts are one field a weekday, 0 Monday."""

    languages = _CheckBoxes(
        _l("Speaks"), validators=[InputRequired(_l("Choose at least one language."))]
    )
    gender = SelectField(_l("Gender"), validators=[Optional()])
    panel_cap = WholeField(
        _l("Most patients on the panel"),
        validators=[
            InputRequired(_l("Enter how many patients.")),
            NumberRange(0, MOST_PATIENTS, _l("Enter a number from 0 to 200.")),
        ],
    )
    weekly_hours = DecimalField(
        _l("Hours a week for calls"),
        places=None,
        validators=[
            InputRequired(_l("Enter how many hours.")),
            NumberRange(0, MOST_WEEKLY_HOURS, _l("Enter a number from 0 to 60.")),
        ],
    )
    trained_on = DateField(_l("Training complete on"), validators=[Optional()])
    shift_0 = ShiftField(validators=[Length(max=120)])
    shift_1 = ShiftField(validators=[Length(max=120)])
    shift_2 = ShiftField(validators=[Length(max=120)])
    shift_3 = ShiftField(validators=[Length(max=120)])
    shift_4 = ShiftField(validators=[Length(max=120)])
    shift_5 = ShiftField(validators=[Length(max=120)])
    shift_6 = ShiftField(validators=[Length(max=120)])

    @classmethod
    def of(cls, caller: Caller) -> "ProfileForm":
        """Return the form with what is kept of ``caller``."""
        form = cls(data=_known(caller.profile))
        form.languages.choices = [
            SelectChoice(code, name)
            for code, name in patient_labels.languages(also=caller.profile.languages)
        ]
        form.gender.choices = [
            SelectChoice("", _l("not said")),
            *(SelectChoice(each.value, words) for each, words in labels.GENDERS.items()),
        ]
        for day, field in enumerate(form.shifts):
            field.label.text = patient_labels.weekday_name(day)
        return form

    @property
    def shifts(self) -> list[ShiftField]:
        """The fields of the week, Monday first."""
        return [self[f"shift_{day}"] for day in _WEEK]

    def to_profile(self) -> Profile:
        """Return the validated answers as the use case wants them."""
        return Profile(
            languages=frozenset(self.languages.data or ()),
            panel_cap=self.panel_cap.data,
            weekly_minutes=round(self.weekly_hours.data * 60),
            gender=Sex(self.gender.data) if self.gender.data else None,
            trained_on=self.trained_on.data,
            shifts={day: field.stretches for day, field in enumerate(self.shifts)},
        )


@dataclass(frozen=True)
class Chosen:
    """What was chosen and written for each line of a page, by enrolment id."""

    caller_of: Mapping[int, int | None]
    notes: Mapping[int, str]

    @classmethod
    def posted(cls, posted: MultiDict[str, str]) -> "Chosen":
        """Return the answers of a posted page; what is no number counts as nobody."""
        return cls(
            {each: whole(value) or None for each, value in _numbered(posted, "caller-")},
            {
                each: value.strip()[:LONGEST_NOTE]
                for each, value in _numbered(posted, "note-")
                if value.strip()
            },
        )


class AbsenceForm(FlaskForm):
    """From when to when somebody is away; lines are read apart (:class:`Chosen`)."""

    from_on = DateField(_l("First day away"), validators=[InputRequired(_l("Enter the day."))])
    last_on = DateField(_l("Last day away"), validators=[InputRequired(_l("Enter the day."))])
    reason = StringField(_l("Reason"), validators=[Length(max=200)])
    note = TextAreaField(_l("Note for stand-ins"), validators=[Length(max=LONGEST_NOTE)])
    seen = HiddenField()
    shown_days = HiddenField()

    today: date

    @classmethod
    def of(cls, today: date, known: Mapping[str, Any]) -> "AbsenceForm":
        """Return the form as it begins; ``today`` is the caller's own."""
        form = cls(data=known)
        form.today = today
        return form

    def validate_last_on(self, field: Field) -> None:
        """Refuse days that are over, far off, or the wrong way round."""
        if field.data is None:
            return  # what was typed is no day
        if self.from_on.data and field.data < self.from_on.data:
            raise ValidationError(_l("The last day can't be before the first."))
        if field.data < self.today:
            raise ValidationError(_l("These days are over already."))
        if field.data > self.today + FARTHEST_ABSENCE:
            raise ValidationError(_l("Choose days within the next two years."))
        if self.from_on.data and (field.data - self.from_on.data).days > 366:  # noqa: PLR2004
            raise ValidationError(_l("Longer than a year is leaving: use 'Leaves' instead."))

    @property
    def days_shown(self) -> str:
        """The days that the lines below were worked out for, as the page keeps them."""
        return f"{self.from_on.data}/{self.last_on.data}"

    def to_away(self, chosen: Chosen) -> Away:
        """Return the validated answers as the use case wants them."""
        return Away(
            self.from_on.data,
            self.last_on.data,
            (self.reason.data or "").strip(),
            (self.note.data or "").strip(),
            chosen.caller_of,
            self.seen.data or "",
        )

    def refuse(self, message: str) -> None:
        """Put ``message`` on top of the page."""
        self.form_errors.append(message)


class LeavingForm(FlaskForm):
    """What every new caller should know; lines are read apart (:class:`Chosen`)."""

    note = TextAreaField(
        _l("Hand-over note to every new caller"),
        validators=[
            InputRequired(_l("Write what the new callers should know.")),
            Length(max=LONGEST_NOTE),
        ],
    )
    above_cap = BooleanField(_l("Go above the cap"))
    seen = HiddenField()

    @classmethod
    def of(cls, *, has_patients: bool) -> "LeavingForm":
        """Return the form; without patients there is nobody to write a note to."""
        form = cls()
        if not has_patients:
            del form.note
        return form

    def to_leaving(self, chosen: Chosen) -> Leaving:
        """Return the validated answers as the use case wants them."""
        return Leaving(
            chosen.caller_of,
            (self.note.data or "").strip() if "note" in self else "",
            chosen.notes,
            self.seen.data or "",
            above_cap=self.above_cap.data,
        )

    def refuse(self, message: str) -> None:
        """Put ``message`` on top of the page."""
        self.form_errors.append(message)


def _known(profile: Profile) -> dict[str, Any]:
    return {
        "languages": sorted(profile.languages),
        "gender": profile.gender.value if profile.gender else "",
        "panel_cap": profile.panel_cap,
        "weekly_hours": Decimal(f"{profile.weekly_minutes / 60:.4g}"),
        "trained_on": profile.trained_on,
        **{f"shift_{day}": written(profile.shifts.get(day, ())) for day in _WEEK},
    }


def _numbered(posted: MultiDict[str, str], prefix: str) -> list[tuple[int, str]]:
    found = (
        (whole(name.removeprefix(prefix)), value)
        for name, value in posted.items()
        if name.startswith(prefix)
    )
    return [(each, value) for each, value in found if each is not None]
