"""The form on the call screen: coerces, asks rules, builds one CallReport."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    Field,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.calls.correcting import NOT_AMENDED, Amended
from outreach.calls.fields import (
    AfterwardsFields,
    Around,
    GoalNewsField,
    LowSugarFields,
    minutes_field,
    note_field,
)
from outreach.calls.labels import OUTCOME_WORDS
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import (
    NAMES_A_TIME,
    NOT_REACHED,
    REACHED,
    Outcome,
)
from outreach.concerns.rules import LowSugar
from outreach.measures.labels import DOUBT_WORDS
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import MeasureKind
from outreach.patients.rules import EARLIEST, LATEST, hours_on
from outreach.planning.retrying import FARTHEST_CALL_BACK, Agreed
from outreach.results.fields import (
    MeasuredField,
    SignsField,
    check_pressure,
    unit_choices,
    wrong,
)
from outreach.results.urgent import Typed
from outreach.web import bounded
from outreach.web.number_fields import WholeField

Instant = Callable[[date | None, time | None], tuple[datetime, bool]]
# What people say when they are asked when to ring back; any other minute may be typed.
CALL_BACK_TIMES = tuple(map(time, (9, 10, 11, 13, 15, 17, 18, 19)))


class CallReportForm(AfterwardsFields, LowSugarFields, FlaskForm):
    """What a caller fills in during and after a call."""

    planned_call_id = WholeField(validators=[InputRequired(), NumberRange(1, bounded.LARGEST)])
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
    note = note_field()
    minutes = minutes_field()
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
    glucose = MeasuredField(_l("Blood sugar"), is_metered=True, validators=[Optional()])
    glucose_unit = SelectField(_l("Unit"), choices=unit_choices(MeasureKind.GLUCOSE))
    glucose_is_fasting = BooleanField(_l("Fasting"))
    signs = SignsField(_l("Said with it"), validate_choice=False)
    glucose_on = DateField(_l("Day of the reading"), validators=[Optional()])
    glucose_at = TimeField(_l("Time"), validators=[Optional()])
    hba1c = MeasuredField(_l("HbA1c"), validators=[Optional()])
    hba1c_unit = SelectField(_l("Unit"), choices=unit_choices(MeasureKind.HBA1C))
    hba1c_on = DateField(_l("Day of the test"), validators=[Optional()])
    systolic = MeasuredField(_l("Upper (systolic)"), validators=[Optional()])
    diastolic = MeasuredField(_l("Lower (diastolic)"), validators=[Optional()])
    pulse = MeasuredField(_l("Pulse"), validators=[Optional()])
    others_on = DateField(_l("Day of these readings"), validators=[Optional()])
    others_at = TimeField(_l("Time"), validators=[Optional()])
    weight = MeasuredField(_l("Weight"), validators=[Optional()])
    weight_unit = SelectField(_l("Unit"), choices=unit_choices(MeasureKind.WEIGHT))
    is_confirmed = BooleanField(_l("The unusual value is right: I read it back"))
    then = RadioField(
        choices=[SelectChoice("next", ""), SelectChoice("stay", "")],
        default="next",
        validators=[Optional()],
    )

    is_doubted = False

    def bind(self, around: Around) -> "CallReportForm":
        """Tell the form of the call around it; before validating."""
        self.around, self.taking = around, around.taking
        return self

    @property
    def chosen(self) -> Outcome | None:
        """The outcome: the one chosen, or plainly 'we talked' where only that is known."""
        if self.outcome.data in list(Outcome):
            return Outcome(self.outcome.data)
        return Outcome.COMPLETED if self.reached.data == "yes" else None

    @property
    def how_low(self) -> LowSugar | None:
        """How low the blood sugar of now is that was typed, if it is."""
        if self._wrong_times() or not self._may_be_talk:
            return None
        return self.around.low(self._readings(), is_confirmed=self.is_confirmed.data)

    @property
    def typed(self) -> Typed | None:
        """What was measured, as far as it was typed: what is urgent waits for no valid form."""
        if not self._may_be_talk:
            return None
        likely = self.taking.likely
        said_at, _is_known = likely(*self._when(self.glucose))
        return Typed(self._readings(likely), self.signs.said, said_at, self.is_confirmed.data)

    @property
    def worry(self) -> str | None:
        """What worries the caller, if only that something does; None where the call is none."""
        return (self.note.data or "").strip() if self.chosen is Outcome.SAFETY else None

    @property
    def _may_be_talk(self) -> bool:
        return self.chosen is None or self.chosen.is_reached

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field by itself, then what they say together."""
        is_valid = super().validate(extra_validators)
        checks = (
            self._check_outcome,
            self._check_words,
            self._check_times,
            self._check_afterwards,
            self._check_values,
            self._check_low,
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
            low_said=self.said_of_low if self.how_low else None,
            number_id=next(iter(self.around.number_ids), None),
            answers_hash=answers_hash,
            ended_at=self.around.ended_at,
            afterwards=self.afterwards(outcome),
            goal_news=self.goal_news.data if outcome.is_reached else {},
        )

    def _agreed(self, outcome: Outcome) -> Agreed | None:
        on, at = self.callback_on.data, self.callback_at.data
        if outcome not in NAMES_A_TIME or on is None or at is None:
            return None
        return Agreed(on, at)

    def _minutes(self) -> int | None:
        if self.minutes.data is not None:
            return int(self.minutes.data)
        return self.around.started_at_minutes

    def _check_outcome(self) -> bool:
        if self.chosen is None and not self.reached.errors:
            return wrong(
                self.outcome if self.reached.data else self.reached,
                _("Choose how the call went."),
            )
        is_reached = self.chosen is not None and self.chosen.is_reached
        if self.reached.data and (self.reached.data == "yes") != is_reached:
            return wrong(self.outcome, _("Choose how it ended: this does not fit."))
        # A safety concern never waits for anything but its words.
        is_urgent = self.chosen is Outcome.SAFETY
        if is_reached and not is_urgent and self._minutes() is None and not self.minutes.errors:
            return wrong(self.minutes, _("Write how many minutes you talked."))
        return True

    def _check_words(self) -> bool:
        if self.chosen is Outcome.SAFETY and not (self.note.data or "").strip():
            return wrong(self.note, _("Write what worries you: a nurse reads this first."))
        if self.promise_on.data and not (self.promise.data or "").strip():
            return wrong(self.promise, _("Write what to come back to."))
        return True

    def _check_times(self) -> bool:
        on, at = self.callback_on.data, self.callback_at.data
        is_optional = self.chosen is Outcome.THIRD_PARTY and on is None and at is None
        if self.chosen not in NAMES_A_TIME or is_optional:
            return True
        if on is None:
            return wrong(self.callback_on, _("Choose the day to call back."))
        if at is None:
            return wrong(self.callback_at, _("Choose the time to call back."))
        return self._check_day(on) and self._check_hour(on, at)

    def _check_day(self, on: date) -> bool:
        today = self.around.now.astimezone(self.around.zone).date()
        if not today <= on <= today + FARTHEST_CALL_BACK:
            return wrong(self.callback_on, _("Choose a day within the next 30 days."))
        if on >= self.around.programme_ends_on:
            return wrong(
                self.callback_on, _("The programme is over by then: choose an earlier day.")
            )
        if self.around.lawful.is_barred_on(on):
            return wrong(
                self.callback_on, _("By law nobody is called on that day where the patient lives.")
            )
        return True

    def _check_hour(self, on: date, at: time) -> bool:
        if not EARLIEST <= at < LATEST:
            return wrong(self.callback_at, _("Choose a time from 8 AM to 9 PM, their time."))
        if datetime.combine(on, at, tzinfo=self.around.zone) <= self.around.now:
            return wrong(self.callback_at, _("That time has passed where the patient is."))
        if self.chosen is Outcome.THIRD_PARTY and not self._is_usual(on, at):
            return wrong(
                self.callback_at, _("Outside calling hours only the patient can ask for a time.")
            )
        return True

    def _is_usual(self, on: date, at: time) -> bool:
        usual = hours_on(on, self.around.zone, self.around.lawful)
        instant = datetime.combine(on, at, tzinfo=self.around.zone)
        return usual is not None and usual.from_at <= instant < usual.until_at

    def _check_afterwards(self) -> bool:
        today = self.around.now.astimezone(self.around.zone).date()
        trouble = self.trouble_afterwards(self.chosen, today)
        return wrong(*trouble) if trouble else True

    def _check_values(self) -> bool:
        if self.chosen is None or not self.chosen.is_reached:
            return True
        problems = self._wrong_times()
        for field, problem in problems:
            wrong(field, problem)
        is_pair = check_pressure(self.systolic, self.diastolic)
        if problems:
            return False  # without a time there is nothing to hold a value against
        return all([is_pair, self._check_doubts(), self._check_signs()])

    def _wrong_times(self) -> list[tuple[Field, str]]:
        return [
            (field, problem)
            for field, on, at in self._taken()
            if (problem := self.taking.wrong_time(on, at))
        ]

    def _check_low(self) -> bool:
        # A safety concern never waits for anything but its words.
        trouble = None if self.chosen is Outcome.SAFETY else self.trouble_with_low(self.how_low)
        return wrong(self.low_said, trouble) if trouble else True

    def _check_doubts(self) -> bool:
        is_valid = True
        for field, kind, unit in self._values():
            if field.data is None or field.errors:
                continue
            taken = self.taking.instant(*self._when(field))
            doubt = self.taking.doubt(field.reported(kind, unit, taken))
            if doubt is not None and doubt.is_question:
                self.is_doubted = True
                doubt = None if self.is_confirmed.data else doubt
            if doubt is not None:
                is_valid = wrong(field, str(DOUBT_WORDS[doubt]))
        return is_valid

    def _taken(self) -> list[tuple[Field, date | None, time | None]]:
        """Return (field to complain beside, day, time) of each time of a reading."""
        return [
            (self.glucose_at, self.glucose_on.data, self.glucose_at.data),
            (self.hba1c_on, self.hba1c_on.data, None),
            (self.others_at, self.others_on.data, self.others_at.data),
        ]

    def _check_signs(self) -> bool:
        is_said = any(each.signs for each in self._readings())
        if self.signs.said and not is_said:
            return wrong(
                self.glucose, _("Write the value that this was said with, or raise a concern.")
            )
        return True

    def _values(self) -> list[tuple[MeasuredField, MeasureKind, str]]:
        fasting = self.glucose_is_fasting.data
        glucose = MeasureKind.GLUCOSE_FASTING if fasting else MeasureKind.GLUCOSE
        return [
            (self.glucose, glucose, self.glucose_unit.data),
            (self.hba1c, MeasureKind.HBA1C, self.hba1c_unit.data),
            (self.systolic, MeasureKind.SYSTOLIC, "mm[Hg]"),
            (self.diastolic, MeasureKind.DIASTOLIC, "mm[Hg]"),
            (self.pulse, MeasureKind.PULSE, "/min"),
            (self.weight, MeasureKind.WEIGHT, self.weight_unit.data),
        ]

    def _readings(self, instant: Instant | None = None) -> list[ReportedReading]:
        taken = instant or self.taking.instant
        return [
            field.reported(
                kind,
                unit,
                taken(*self._when(field)),
                signs=self.signs.said_with(kind),
            )
            for field, kind, unit in self._values()
            if field.data is not None
        ]

    def _when(self, field: Field) -> tuple[date | None, time | None]:
        if field is self.glucose:
            return self.glucose_on.data, self.glucose_at.data
        if field is self.hba1c:
            return self.hba1c_on.data, None
        return self.others_on.data, self.others_at.data


class AmendForm(FlaskForm):
    """What a manager puts in the place of a recorded call, and why."""

    form_key = HiddenField(validators=[InputRequired(), Length(max=40)])
    outcome = RadioField(_l("How it ended"), validators=[InputRequired()])
    minutes = minutes_field()
    note = note_field()
    reason = StringField(
        _l("Why is this corrected?"),
        validators=[
            InputRequired(_l("Say why this is corrected.")),
            Length(max=500, message=_l("Use at most 500 characters.")),
        ],
    )

    @classmethod
    def of(cls, outcome: Outcome, minutes: int, note: str, new_key: str) -> "AmendForm":
        """Return the form as it opens over what was recorded, or as it was sent."""
        recorded = {"outcome": outcome.value, "minutes": minutes, "note": note}
        return cls(data=recorded | {"form_key": new_key}).offer(outcome)

    def offer(self, outcome: Outcome) -> "AmendForm":
        """Offer the outcomes that may stand in the place of ``outcome``; before validating."""
        is_fixed = outcome in NOT_AMENDED
        offered = [outcome] if is_fixed else [each for each in Outcome if each not in NOT_AMENDED]
        self.outcome.choices = [SelectChoice(each.value, OUTCOME_WORDS[each]) for each in offered]
        return self

    def to_amended(self) -> Amended:
        """Return the validated answers as the use case wants them."""
        return Amended(
            Outcome(self.outcome.data),
            self.minutes.data or 0,
            self.note.data or "",
            self.reason.data or "",
            self.form_key.data or "",
        )
