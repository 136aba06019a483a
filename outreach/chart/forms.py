"""Forms of a patient's page: the rhythm of calls, the status."""

from datetime import date

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    RadioField,
    SelectChoice,
    TextAreaField,
)
from wtforms.validators import (
    AnyOf,
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from outreach.chart import labels
from outreach.chart.care import Course, StatusChange
from outreach.chart.rules import next_statuses
from outreach.errors import RuleBroken
from outreach.patients.rules import Daypart, Wishes
from outreach.programmes.labels import PAUSE_TROUBLES
from outreach.programmes.rules import (
    EnrolmentStatus,
    PauseReason,
    Phase,
    pause_words,
    trouble_with_pause,
)
from outreach.web.number_fields import WholeField


class NoSuchWish(RuleBroken):
    """What was sent names no weekday and no part of the day."""


class NoSuchAnswer(RuleBroken):
    """What was sent is neither yes nor no."""


class RhythmForm(FlaskForm):
    """How often the patient wants to be called in one phase."""

    value = RadioField(
        _l("How often"), coerce=int, validators=[InputRequired(_l("Choose how often."))]
    )

    @classmethod
    def of(cls, phase: Phase, current: int) -> "RhythmForm":
        """Return the form with what ``phase`` offers, ``current`` ticked."""
        form = cls(data={"value": current})
        form.value.choices = [
            SelectChoice(value, labels.rhythm(phase, value)) for value in phase.choices
        ]
        return form


class WishForm(FlaskForm):
    """One weekday or part of the day more or less; each button of the page names one."""

    add_weekday = WholeField(validators=[Optional(), NumberRange(0, 6)])
    drop_weekday = WholeField(validators=[Optional(), NumberRange(0, 6)])
    add_daypart = HiddenField(validators=[Optional(), AnyOf([each.value for each in Daypart])])
    drop_daypart = HiddenField(validators=[Optional(), AnyOf([each.value for each in Daypart])])

    def changed(self, wishes: Wishes) -> Wishes:
        """Return ``wishes`` with what was pressed; the part named last is the next best."""
        if not self.validate():
            raise NoSuchWish("There is no such day or part of the day.")
        days = (wishes.weekdays | _days(self.add_weekday)) - _days(self.drop_weekday)
        dropped = {self.drop_daypart.data, self.add_daypart.data}
        parts = [part for part in wishes.dayparts if part.value not in dropped]
        if self.add_daypart.data in set(Daypart):  # blanks pass for nothing
            parts.append(Daypart(self.add_daypart.data))
        return Wishes(days, tuple(parts))


class WelfareCheckForm(FlaskForm):
    """What somebody said to a welfare check; each button of the page is an answer."""

    agreed = HiddenField(validators=[AnyOf(["yes", "no"])])

    @property
    def answer(self) -> bool:
        """Whether they agreed."""
        if not self.validate():
            raise NoSuchAnswer("There is no such answer.")
        return bool(self.agreed.data == "yes")


class ReadForm(FlaskForm):
    """'I have read this'. ``seen`` is what was on the page."""

    seen = HiddenField()


class FollowUpForm(FlaskForm):
    """What was done about a follow-up."""

    note = TextAreaField(
        _l("What was done or learned"),
        validators=[
            DataRequired(_l("Write what was done or learned.")),
            Length(max=4000, message=_l("Use at most 4,000 characters.")),
        ],
    )


class StatusForm(FlaskForm):
    """Pausing, resuming and leaving the programme. ``seen`` is what was on the page."""

    today: date  # the patient's

    seen = HiddenField()
    status = RadioField(_l("What changes"), validators=[InputRequired(_l("Choose what changes."))])
    pause_reason = RadioField(
        _l("Why the calls rest"),
        choices=[SelectChoice(each.value, labels.PAUSE_REASONS[each]) for each in PauseReason],
        default=PauseReason.OTHER.value,
    )
    first = DateField(_l("First day away"), validators=[Optional()])
    until = DateField(_l("Call again from"), validators=[Optional()])
    reason = TextAreaField(_l("Reason"), validators=[Length(max=180)])

    @classmethod
    def of(cls, course: Course) -> "StatusForm":
        """Return the form with the steps that lead on from where ``course`` stands."""
        current = course.enrolment.status
        enrolment = course.enrolment
        until = enrolment.resume_on or enrolment.away_until_on
        form = cls(data={"seen": current.value, "first": enrolment.away_from_on, "until": until})
        form.today = course.today
        form.status.choices = [
            SelectChoice(status.value, _step_words(status, current))
            for status in next_statuses(current, is_pause_to_come=course.is_pause_to_come)
        ]
        return form

    def validate_first(self, _field: DateField) -> None:
        """A pause begins now or on a day to come."""
        self._refuse(is_about_end=False)

    def validate_until(self, _field: DateField) -> None:
        """A pause ends on a day to come."""
        self._refuse(is_about_end=True)

    def _refuse(self, *, is_about_end: bool) -> None:
        trouble = trouble_with_pause(self.first.data, self.until.data, self.today)
        if self._is_pause and trouble is not None and trouble.is_about_end == is_about_end:
            raise ValidationError(PAUSE_TROUBLES[trouble])

    def validate_reason(self, field: TextAreaField) -> None:
        """Leaving needs a reason, and so does a pause for none of the usual ones."""
        is_told = self._is_pause and self.pause_reason.data != PauseReason.OTHER.value
        is_back = self.status.data == EnrolmentStatus.ACTIVE.value
        if not (is_told or is_back or (field.data or "").strip()):
            raise ValidationError(_l("Write the reason."))

    def to_change(self, current: EnrolmentStatus) -> StatusChange:
        """Return the validated answers as the use case wants them."""
        note = (self.reason.data or "").strip()
        status, seen = EnrolmentStatus(self.status.data), self.seen_status(current)
        if status is not EnrolmentStatus.PAUSED:
            return StatusChange(status, seen, note)
        words = pause_words(PauseReason(self.pause_reason.data), note)
        return StatusChange(status, seen, words, self.until.data, self.first.data)

    @property
    def _is_pause(self) -> bool:
        return bool(self.status.data == EnrolmentStatus.PAUSED.value)

    def seen_status(self, current: EnrolmentStatus) -> EnrolmentStatus:
        """Return the status that was on the page; ``current`` where that makes no sense."""
        known = {status.value for status in EnrolmentStatus}
        return EnrolmentStatus(self.seen.data) if self.seen.data in known else current


def _days(field: WholeField) -> set[int]:
    return set() if field.data is None else {int(field.data)}


def _step_words(status: EnrolmentStatus, current: EnrolmentStatus) -> LazyString:
    if status is current is EnrolmentStatus.PAUSED:
        return _l("Change the pause")
    if status is current is EnrolmentStatus.ACTIVE:
        return _l("Call off the pause")
    return labels.STATUS_STEPS[status]
