"""Forms of the safety net."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    DateTimeLocalField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TelField,
    TextAreaField,
    TimeField,
    ValidationError,
    widgets,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from outreach.accounts.models import StaffMember
from outreach.concerns.flags import NewFlag
from outreach.concerns.labels import (
    CALLERS_KIND_WORDS,
    NEEDED_WORDS,
    RANK_WORDS,
    RISK_WORDS,
    TROUBLE_WORDS,
)
from outreach.concerns.limits import NewLimits
from outreach.concerns.models import OwnLimits
from outreach.concerns.raising import Raised
from outreach.concerns.readiness import Net
from outreach.concerns.rota import Duty
from outreach.concerns.rules import (
    LONGEST_UNTIL_REVIEW,
    ConcernKind,
    Needed,
    OnCallRank,
    RiskKind,
    Trigger,
    Urgency,
    trouble_with,
)
from outreach.concerns.weekly import NewWeek
from outreach.measures.labels import unit_name
from outreach.measures.rules import GLUCOSE, REGISTRY, MeasureKind
from outreach.patients.labels import weekday_name
from outreach.web.bounded import whole
from outreach.web.number_fields import DecimalField

MOST_WORDS = Length(max=4000, message=_l("Use at most 4,000 characters."))


class ConcernForm(FlaskForm):
    """Words on what was done or learned, and one of two buttons."""

    note = TextAreaField(
        _l("What was done or learned"),
        validators=[
            DataRequired(_l("Write what was done or learned.")),
            MOST_WORDS,
        ],
    )
    close = SubmitField(_l("Save and close"))
    keep = SubmitField(_l("Save, keep open"))


class RaiseForm(FlaskForm):
    """A caller's worry with somebody on the line: nothing is required, so nothing waits."""

    form_key = HiddenField(validators=[DataRequired(), Length(max=40)])
    kind = RadioField(
        _l("What is it?"),
        choices=[SelectChoice(kind.value, words) for kind, words in CALLERS_KIND_WORDS.items()],
        default=ConcernKind.SAFETY.value,
    )
    where_now = StringField(_l("Where are they now?"), validators=[Length(max=300)])
    ring_back = TelField(_l("Number to ring back"), validators=[Length(max=40)])
    words = TextAreaField(_l("A few words for the nurse"), validators=[MOST_WORDS])

    def to_raised(self) -> Raised:
        """Return what was said; the nurse reads the words first, then where and whom to ring."""
        lines = [
            (self.words.data or "").strip(),
            _("Is now: %(place)s", place=self.where_now.data) if self.where_now.data else "",
            _("Ring back: %(number)s", number=self.ring_back.data) if self.ring_back.data else "",
        ]
        return Raised(
            Trigger(ConcernKind(self.kind.data), Urgency.NOW),
            "\n".join(line for line in lines if line),
            form_key=self.form_key.data,
        )


class WordsForm(FlaskForm):
    """What a caller learned after raising a concern."""

    words = TextAreaField(
        _l("Add what you learn"),
        validators=[DataRequired(_l("Write what you learned.")), MOST_WORDS],
    )


class SecondLookForm(FlaskForm):
    """A second person agrees with how a concern was closed, or opens it again."""

    note = TextAreaField(_l("What you saw, or why it is opened again"), validators=[MOST_WORDS])
    agree = SubmitField(_l("Reviewed: rightly closed"))
    reopen = SubmitField(_l("Open it again"))

    def validate_note(self, field: TextAreaField) -> None:
        """Ask for the reason of opening it again."""
        if self.reopen.data and not (field.data or "").strip():
            raise ValidationError(_l("Write why it is opened again."))


class DutyForm(FlaskForm):
    """Somebody on call for a while. Times are on the clinic's clock."""

    staff_id = SelectField(_l("Who"), coerce=int)
    rank = SelectField(
        _l("Told"),
        choices=[SelectChoice(rank.value, words) for rank, words in RANK_WORDS.items()],
    )
    from_at = DateTimeLocalField(
        _l("From"), validators=[InputRequired(_l("Write from when."))], format="%Y-%m-%dT%H:%M"
    )
    until_at = DateTimeLocalField(
        _l("Until"), validators=[InputRequired(_l("Write until when."))], format="%Y-%m-%dT%H:%M"
    )

    @classmethod
    def of(
        cls, people: Sequence[StaffMember], begins: datetime, ends: datetime, *, is_sent: bool
    ) -> "DutyForm":
        """Return the form with the people who may be on call, and the times to begin with."""
        form = cls(**_typed(is_sent=is_sent), data={"from_at": begins, "until_at": ends})
        form.staff_id.choices = [SelectChoice(each.id, each.name) for each in people]
        return form

    def validate_until_at(self, field: DateTimeLocalField) -> None:
        """Refuse a time that ends before it begins."""
        if field.data and self.from_at.data and field.data <= self.from_at.data:
            raise ValidationError(_l("That is before it begins."))

    def to_duty(self, zone: ZoneInfo) -> Duty:
        """Return what was typed, as instants."""
        return Duty(
            self.staff_id.data,
            OnCallRank(self.rank.data),
            _instant(self.from_at.data, zone),
            _instant(self.until_at.data, zone),
        )


class WeekForm(FlaskForm):
    """Somebody on call at the same hours of every week, on the clinic's clock."""

    staff_id = SelectField(_l("Who"), coerce=int)
    rank = SelectField(
        _l("Told"),
        choices=[SelectChoice(rank.value, words) for rank, words in RANK_WORDS.items()],
    )
    weekdays = SelectMultipleField(
        _l("Days"),
        coerce=int,
        validators=[DataRequired(_l("Choose at least one day."))],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    begins = TimeField(_l("From"), validators=[InputRequired(_l("Write from when."))])
    ends = TimeField(_l("Until"), validators=[InputRequired(_l("Write until when."))])

    @classmethod
    def of(cls, people: Sequence[StaffMember], *, is_sent: bool) -> "WeekForm":
        """Return the form with the people who may be on call, Monday to Friday by day."""
        usual = {"weekdays": list(range(5)), "begins": time(8), "ends": time(20)}
        form = cls(**_typed(is_sent=is_sent), prefix="week", data=usual)
        form.staff_id.choices = [SelectChoice(each.id, each.name) for each in people]
        form.weekdays.choices = [SelectChoice(day, weekday_name(day)) for day in range(7)]
        return form

    def to_week(self, today: date) -> NewWeek:
        """Return what was typed, from today on."""
        if self.begins.data is None or self.ends.data is None:
            raise ValueError("validated before")
        return NewWeek(
            self.staff_id.data,
            OnCallRank(self.rank.data),
            frozenset(self.weekdays.data or ()),
            self.begins.data,
            self.ends.data,
            today,
        )


class NetForm(FlaskForm):
    """Who must be on call before a call starts, and who leads where nobody is."""

    needed = SelectField(
        _l("Who has to be on call"),
        choices=[SelectChoice(needed.value, words) for needed, words in NEEDED_WORDS.items()],
    )
    lead_id = SelectField(_l("Clinic lead, always reachable"), coerce=int)

    @classmethod
    def of(cls, people: Sequence[StaffMember], net: Net, *, is_sent: bool) -> "NetForm":
        """Return the form as the clinic keeps it now."""
        kept = {"needed": net.needed.value, "lead_id": net.lead_id or 0}
        form = cls(**_typed(is_sent=is_sent), prefix="net", data=kept)
        nobody = SelectChoice(0, _l("nobody"))
        form.lead_id.choices = [nobody, *(SelectChoice(each.id, each.name) for each in people)]
        return form

    def to_net(self) -> Net:
        """Return what was chosen."""
        return Net(Needed(self.needed.data), self.lead_id.data or None)


def is_within_reach(field: DateField, today: date) -> bool:
    """Say whether a flag can be looked at again on that day; the reason stands beside it."""
    if field.data is not None and today <= field.data <= today + LONGEST_UNTIL_REVIEW:
        return True
    field.errors = [*field.errors, _("Choose a day within the next three months.")]
    return False


class FlagForm(FlaskForm):
    """A flag about a risk, with the day on which somebody looks at it again."""

    kind = SelectField(
        _l("What"),
        choices=[SelectChoice(kind.value, words) for kind, words in RISK_WORDS.items()],
    )
    words = StringField(
        _l("What to know before dialling"),
        validators=[DataRequired(_l("Write what to know.")), Length(max=300)],
    )
    review_on = DateField(
        _l("Look at it again by"), validators=[InputRequired(_l("Choose a day."))]
    )

    @classmethod
    def of(cls, today: date) -> "FlagForm":
        """Return the form with a review in two weeks."""
        return cls(data={"review_on": today + timedelta(days=14)})

    def to_flag(self) -> NewFlag:
        """Return what was typed."""
        if self.review_on.data is None:
            raise ValueError("validated before")
        return NewFlag(RiskKind(self.kind.data), self.words.data or "", self.review_on.data)


class FlagReviewForm(FlaskForm):
    """A look at a flag: kept until another day, or ended; with words either way."""

    note = StringField(
        _l("What you found"),
        validators=[DataRequired(_l("Write what you found.")), Length(max=1000)],
    )
    review_on = DateField(_l("Look at it again by"), validators=[Optional()])
    keep = SubmitField(_l("Keep it until then"))
    end = SubmitField(_l("End the flag"))


class LimitsForm(FlaskForm):
    """Limits of a patient's own for one measure, or the end of them; with the reason.

    ``seen`` is the number of the setting that stood on the page.
    """

    seen = HiddenField(default="0")
    low = DecimalField(_l("Tell a nurse below"), places=None, validators=[Optional()])
    high = DecimalField(_l("Tell a nurse from"), places=None, validators=[Optional()])
    unit = SelectField(_l("Unit"))
    until_on = DateField(_l("Until, the last day"), validators=[Optional()])
    reason = StringField(_l("Why"), validators=[DataRequired(_l("Write why.")), Length(max=300)])
    keep = SubmitField(_l("Set these limits"))
    remove = SubmitField(_l("Back to everybody's limits"))

    @classmethod
    def of(
        cls, kind: MeasureKind, own: OwnLimits | None, glucose_unit: str, *, seen: int
    ) -> "LimitsForm":
        """Return the form with what holds now, in the unit in which it was set."""
        measure = REGISTRY[kind]
        unit = own.unit if own else (glucose_unit if kind in GLUCOSE else measure.unit)
        shown = measure.units[unit].from_canonical
        values = {
            "seen": str(seen),
            "unit": unit,
            "low": shown(own.low) if own and own.low is not None else None,
            "high": shown(own.high) if own and own.high is not None else None,
            "until_on": own.until_on if own else None,
        }
        form = cls(data=values)
        form.kind = kind
        form.unit.choices = [SelectChoice(each, unit_name(each)) for each in measure.units]
        return form

    def is_possible(self, today: date) -> bool:
        """Say whether the limits can be kept; the reason stands beside them."""
        if self.until_on.data is not None and self.until_on.data < today:
            self.until_on.errors = [_("That day is past.")]
            return False
        new = self.to_limits()
        trouble = trouble_with(new.kind, new.canonical)
        if trouble is not None:
            self.low.errors = [TROUBLE_WORDS[trouble]]
        return trouble is None

    def to_limits(self) -> NewLimits:
        """Return what was typed."""
        return NewLimits(
            self.kind,
            self.low.data,
            self.high.data,
            self.unit.data,
            self.reason.data or "",
            self.until_on.data,
            self.times_seen,
        )

    @property
    def times_seen(self) -> int:
        """How often the limits of this measure had been set when the page was opened."""
        return whole(self.seen.data) or 0


def _typed(*, is_sent: bool) -> dict[str, None]:
    """Keep a form that stands beside the one that was sent as it begins."""
    return {} if is_sent else {"formdata": None}


def _instant(local: datetime | None, zone: ZoneInfo) -> datetime:
    if local is None:
        raise ValueError("validated before")
    return local.replace(tzinfo=zone).astimezone(UTC)
