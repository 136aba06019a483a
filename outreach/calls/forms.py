"""The form on the call screen: coerces, asks rules, builds one CallReport."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.calls.drafts import Typed
from outreach.calls.fields import AfterwardsFields, GoalNewsField
from outreach.calls.labels import DOUBT_WORDS, OUTCOME_WORDS
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import LONGEST_CALL_MINUTES, NOT_REACHED, REACHED, Outcome
from outreach.measures.labels import UNIT_WORDS
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import REGISTRY, Doubt, MeasureKind, doubt_about
from outreach.planning.retrying import FARTHEST_CALL_BACK, Agreed
from outreach.web import bounded


@dataclass(frozen=True)
class Around:
    """What the form needs to know of the call around it."""

    zone: ZoneInfo
    now: datetime
    number_ids: Sequence[int]
    promise_ids: Sequence[int]
    started_at_minutes: int | None
    born_on: date


# What a form carries besides what somebody typed.
NOT_ANSWERS = frozenset(
    {"csrf_token", "planned_call_id", "form_key", "then", "version", "tab", "settles"}
)

# Nobody is called outside these hours, agreed or not. Source: 47 CFR 64.1200(c)(1), adopted
# as a floor (domain.md D).
EARLIEST, LATEST = time(8), time(21)


# What people say when they are asked when to ring back; any other minute may be typed.
CALL_BACK_TIMES = tuple(map(time, (9, 10, 11, 13, 15, 17, 18, 19)))


def typed_from(form: MultiDict[str, str]) -> Typed:
    """Return what one tab has typed so far, as autosave sends it."""
    version = bounded.whole(form.get("version", ""))
    return Typed(
        answers={name: form.getlist(name) for name in form if name not in NOT_ANSWERS},
        version=-1 if version is None else version,
        tab=form.get("tab", "")[:40],
        settles=form.get("settles", "")[:40],
    )


def hash_of(form: MultiDict[str, str]) -> str:
    """Return a fingerprint of what was typed, to tell a resend from a change."""
    typed = sorted((name, form.getlist(name)) for name in form if name not in NOT_ANSWERS)
    return hashlib.sha256(repr(typed).encode()).hexdigest()


def _unit_choices(kind: MeasureKind) -> list[SelectChoice]:
    return [SelectChoice(unit, UNIT_WORDS.get(unit, unit)) for unit in REGISTRY[kind].units]


class MeasuredField(DecimalField):
    """A measured number; a decimal comma is answered with how to write it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read one number, or say what is wrong in words that help."""
        try:
            super().process_formdata([each.strip() for each in valuelist])
        except ValueError as error:
            typed = valuelist[0].strip()
            with_point = typed.replace(",", ".", 1)
            if "," in typed and with_point.replace(".", "", 1).isdecimal():
                message = _("Write %(number)s, with a point.", number=with_point)
                raise ValueError(message) from error
            raise ValueError(_("Write a number.")) from error


class CallReportForm(AfterwardsFields, FlaskForm):
    """What a caller fills in during and after a call."""

    planned_call_id = IntegerField(validators=[InputRequired(), NumberRange(1, bounded.LARGEST)])
    form_key = HiddenField(validators=[InputRequired(), Length(max=40)])
    reached = RadioField(
        _l("Did you speak with the patient?"),
        choices=[SelectChoice("yes", _l("Reached")), SelectChoice("no", _l("Not reached"))],
        validators=[Optional()],
    )
    outcome = RadioField(
        _l("How did it end?"),
        choices=[
            SelectChoice(each.value, OUTCOME_WORDS[each]) for each in (*REACHED, *NOT_REACHED)
        ],
        validators=[Optional()],
    )
    note = TextAreaField(
        _l("Note"),
        validators=[Length(max=10_000, message=_l("Use at most 10,000 characters."))],
    )
    minutes = IntegerField(
        _l("Minutes"),
        validators=[
            Optional(),
            NumberRange(0, LONGEST_CALL_MINUTES, _l("Write minutes from 0 to 240.")),
        ],
    )
    callback_on = DateField(_l("Day to call back"), validators=[Optional()])
    callback_at = TimeField(_l("Time to call back"), validators=[Optional()])
    promise = StringField(
        _l("Something to come back to"),
        validators=[Length(max=500, message=_l("Use at most 500 characters."))],
    )
    promise_on = DateField(_l("Day of the promise"), validators=[Optional()])
    kept = SelectMultipleField(
        _l("Done now"),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    goal_news = GoalNewsField(_l("Goals"))
    glucose = MeasuredField(_l("Blood sugar"), validators=[Optional()])
    glucose_unit = SelectField(_l("Unit"), choices=_unit_choices(MeasureKind.GLUCOSE))
    glucose_is_fasting = BooleanField(_l("Fasting"))
    glucose_on = DateField(_l("Day of the reading"), validators=[Optional()])
    glucose_at = TimeField(_l("Time"), validators=[Optional()])
    hba1c = MeasuredField(_l("HbA1c"), validators=[Optional()])
    hba1c_unit = SelectField(_l("Unit"), choices=_unit_choices(MeasureKind.HBA1C))
    hba1c_on = DateField(_l("Day of the test"), validators=[Optional()])
    systolic = MeasuredField(_l("Upper (systolic)"), validators=[Optional()])
    diastolic = MeasuredField(_l("Lower (diastolic)"), validators=[Optional()])
    others_on = DateField(_l("Day of these readings"), validators=[Optional()])
    others_at = TimeField(_l("Time"), validators=[Optional()])
    weight = MeasuredField(_l("Weight"), validators=[Optional()])
    weight_unit = SelectField(_l("Unit"), choices=_unit_choices(MeasureKind.WEIGHT))
    is_confirmed = BooleanField(_l("The unusual value is right: I read it back"))
    then = RadioField(
        choices=[SelectChoice("next", ""), SelectChoice("stay", "")],
        default="next",
        validators=[Optional()],
    )

    is_doubted = False

    def bind(self, around: Around) -> "CallReportForm":
        """Tell the form of the call around it; before validating."""
        self.around = around
        return self

    @property
    def chosen(self) -> Outcome | None:
        """The outcome: the one chosen, or plainly 'we talked' where only that is known."""
        if self.outcome.data in list(Outcome):
            return Outcome(self.outcome.data)
        return Outcome.COMPLETED if self.reached.data == "yes" else None

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field by itself, then what they say together."""
        is_valid = super().validate(extra_validators)
        checks = (
            self._check_outcome,
            self._check_words,
            self._check_times,
            self._check_afterwards,
            self._check_values,
        )
        return all([is_valid, *(check() for check in checks)])

    def to_report(self, answers_hash: str) -> CallReport:
        """Return the validated answers as the use case wants them."""
        outcome = self.chosen
        if outcome is None:
            raise ValueError("validate first")
        return CallReport(
            form_key=self.form_key.data or "",
            outcome=outcome,
            minutes=self._minutes() or 0,
            note=(self.note.data or "").strip(),
            agreed=self._agreed(outcome),
            promise=(self.promise.data or "").strip(),
            promise_on=self.promise_on.data,
            kept_promise_ids=tuple(
                each for each in self.kept.data or () if each in self.around.promise_ids
            ),
            readings=tuple(self._readings()) if outcome.is_reached else (),
            number_id=next(iter(self.around.number_ids), None),
            answers_hash=answers_hash,
            afterwards=self.afterwards(outcome),
            goal_news=self.goal_news.data if outcome.is_reached else {},
        )

    def _agreed(self, outcome: Outcome) -> Agreed | None:
        on, at = self.callback_on.data, self.callback_at.data
        if outcome is not Outcome.CALL_BACK or on is None or at is None:
            return None
        return Agreed(on, at)

    def _minutes(self) -> int | None:
        if self.minutes.data is not None:
            return int(self.minutes.data)
        return self.around.started_at_minutes

    def _check_outcome(self) -> bool:
        if self.chosen is None and not self.reached.errors:
            return _wrong(
                self.outcome if self.reached.data else self.reached,
                _("Choose how the call went."),
            )
        is_reached = self.chosen is not None and self.chosen.is_reached
        if self.reached.data and (self.reached.data == "yes") != is_reached:
            return _wrong(self.outcome, _("Choose how it ended: this does not fit."))
        # A safety concern never waits for anything but its words.
        is_urgent = self.chosen is Outcome.SAFETY
        if is_reached and not is_urgent and self._minutes() is None and not self.minutes.errors:
            return _wrong(self.minutes, _("Write how many minutes you talked."))
        return True

    def _check_words(self) -> bool:
        if self.chosen is Outcome.SAFETY and not (self.note.data or "").strip():
            return _wrong(self.note, _("Write what worries you: a nurse reads this first."))
        if self.promise_on.data and not (self.promise.data or "").strip():
            return _wrong(self.promise, _("Write what to come back to."))
        return True

    def _check_times(self) -> bool:
        if self.chosen is not Outcome.CALL_BACK:
            return True
        on, at = self.callback_on.data, self.callback_at.data
        if on is None:
            return _wrong(self.callback_on, _("Choose the day to call back."))
        if at is None:
            return _wrong(self.callback_at, _("Choose the time to call back."))
        today = self.around.now.astimezone(self.around.zone).date()
        if not today <= on <= today + FARTHEST_CALL_BACK:
            return _wrong(self.callback_on, _("Choose a day within the next 30 days."))
        if not EARLIEST <= at < LATEST:
            return _wrong(self.callback_at, _("Choose a time from 8 AM to 9 PM, their time."))
        if datetime.combine(on, at, tzinfo=self.around.zone) <= self.around.now:
            return _wrong(self.callback_at, _("That time has passed where the patient is."))
        return True

    def _check_afterwards(self) -> bool:
        today = self.around.now.astimezone(self.around.zone).date()
        trouble = self.trouble_afterwards(self.chosen, today)
        return _wrong(*trouble) if trouble else True

    def _check_values(self) -> bool:
        if self.chosen is None or not self.chosen.is_reached:
            return True
        is_valid = self._check_pressure()
        for field, kind, unit in self._values():
            if field.data is None or field.errors:
                continue
            doubt = doubt_about(kind, field.data, unit)
            if doubt is Doubt.UNUSUAL:
                self.is_doubted = True
                doubt = None if self.is_confirmed.data else doubt
            if doubt is not None:
                is_valid = _wrong(field, str(DOUBT_WORDS[doubt]))
        return all([is_valid, *(self._check_taken(*each) for each in self._taken())])

    def _taken(self) -> list[tuple[Field, date | None, time | None]]:
        """Return (field to complain beside, day, time) of each time of a reading."""
        return [
            (self.glucose_at, self.glucose_on.data, self.glucose_at.data),
            (self.hba1c_on, self.hba1c_on.data, None),
            (self.others_at, self.others_on.data, self.others_at.data),
        ]

    def _check_taken(self, field: Field, on: date | None, at: time | None) -> bool:
        today = self.around.now.astimezone(self.around.zone).date()
        if on is not None and on < self.around.born_on:
            return _wrong(field, _("That is before the patient was born."))
        if on is not None and on > today:
            return _wrong(field, _("That is still to come where the patient is."))
        if self._instant(on, at)[0] > self.around.now:
            return _wrong(field, _("That is still to come where the patient is."))
        return True

    def _check_pressure(self) -> bool:
        upper, lower = self.systolic.data, self.diastolic.data
        if upper is None and lower is not None:
            return _wrong(self.systolic, _("Write the upper value as well."))
        if lower is None and upper is not None:
            return _wrong(self.diastolic, _("Write the lower value as well."))
        if upper is None or lower is None or not (upper.is_finite() and lower.is_finite()):
            return True  # each by itself is refused as no number
        if not upper > lower:
            return _wrong(self.systolic, _("The upper value is larger than the lower one."))
        return True

    def _values(self) -> list[tuple[Field, MeasureKind, str]]:
        fasting = self.glucose_is_fasting.data
        glucose = MeasureKind.GLUCOSE_FASTING if fasting else MeasureKind.GLUCOSE
        return [
            (self.glucose, glucose, self.glucose_unit.data),
            (self.hba1c, MeasureKind.HBA1C, self.hba1c_unit.data),
            (self.systolic, MeasureKind.SYSTOLIC, "mm[Hg]"),
            (self.diastolic, MeasureKind.DIASTOLIC, "mm[Hg]"),
            (self.weight, MeasureKind.WEIGHT, self.weight_unit.data),
        ]

    def _readings(self) -> list[ReportedReading]:
        found = []
        for field, kind, unit in self._values():
            value: Decimal | None = field.data
            if value is None:
                continue
            taken_at, is_time_known = self._instant(*self._when(field))
            found.append(ReportedReading(kind, value, unit, taken_at, is_time_known))
        return found

    def _when(self, field: Field) -> tuple[date | None, time | None]:
        if field is self.glucose:
            return self.glucose_on.data, self.glucose_at.data
        if field is self.hba1c:
            return self.hba1c_on.data, None
        return self.others_on.data, self.others_at.data

    def _instant(self, on: date | None, at: time | None) -> tuple[datetime, bool]:
        """Return an instant on the patient's clock, and whether its time is known.

        Neither day nor time: now. A time alone: today. A day alone: its noon, or now where
        that is today.
        """
        now, zone = self.around.now, self.around.zone
        today = now.astimezone(zone).date()
        if at is None and on in (None, today):
            return now, True
        taken = datetime.combine(on or today, at or time(12), tzinfo=zone).astimezone(UTC)
        return taken, at is not None


def _wrong(field: Field, message: str) -> bool:
    field.errors = [*field.errors, message]
    return False
