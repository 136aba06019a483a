"""Forms of programmes: the editor with its rows, and publishing."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.programmes.editing import LONGEST_REASON, Publication
from outreach.programmes.labels import RHYTHMS, flaw
from outreach.programmes.rules import (
    AttemptPolicy,
    FollowUpPolicy,
    MeasurePoint,
    Milestone,
    Phase,
    Protocol,
    Rhythm,
)
from outreach.programmes.rules.checking import Problem, problems
from outreach.protocols import labels
from outreach.protocols.rules import MOST_ROWS, Pick, read_choices, stepped, typed_choices
from outreach.web.bounded import whole
from outreach.web.number_fields import WholeField

MINUTES = 60


class SmallField(WholeField):
    """A whole number of at most four digits; anything else stays as it was typed."""

    written = re.compile(r"-?[0-9]{1,4}")


class PerhapsSmallField(SmallField):
    """A whole number that may be left empty."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the number where there is one."""
        if valuelist and valuelist[0].strip():
            super().process_formdata(valuelist)


class ChoicesField(StringField):
    """What a patient may choose from, typed as '3', '7, 14' or '1-5'; ``values`` once read."""

    @property
    def values(self) -> tuple[int, ...]:
        """The numbers, none where they can't be read."""
        return read_choices(self.data or "") or ()


def _number(label: Any) -> SmallField:
    return SmallField(label, validators=[InputRequired(_l("Write a whole number."))])


class PhaseForm(Form):
    """Some weeks in which calls come in one rhythm. Its weeks follow those before it."""

    code = HiddenField()
    name = StringField(_l("Name"), validators=[Length(max=120)])
    weeks = _number(_l("Weeks"))
    choices = ChoicesField(_l("How many"), validators=[Length(max=60)])
    rhythm = SelectField(
        _l("Of what"), choices=[SelectChoice(each.value, RHYTHMS[each]) for each in Rhythm]
    )
    default = PerhapsSmallField(_l("Usual"))

    def to_phase(self, first_week: int) -> Phase:
        """Return the phase that begins in ``first_week``."""
        values = self.choices.values
        default = values[0] if len(values) == 1 and self.default.data is None else self.default.data
        return Phase(
            code=self.code.data or "",
            first_week=first_week,
            last_week=first_week + self.weeks.data - 1,
            rhythm=Rhythm(self.rhythm.data),
            choices=values,
            default=default or 0,
            name=(self.name.data or "").strip(),
        )


class MeasurePointForm(Form):
    """A window in which something is measured."""

    code = HiddenField()
    name = StringField(_l("Name"), validators=[Length(max=120)])
    from_day = _number(_l("First day"))
    target_day = _number(_l("Best day"))
    until_day = _number(_l("Last day"))
    measures = SelectMultipleField(
        _l("What is measured"),
        choices=[SelectChoice(code, words) for code, words in labels.MEASURES.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    def to_measure_point(self) -> MeasurePoint:
        """Return the measurement point."""
        return MeasurePoint(
            code=self.code.data or "",
            name=(self.name.data or "").strip(),
            measures=tuple(self.measures.data or ()),
            target_day=self.target_day.data,
            from_day=self.from_day.data,
            until_day=self.until_day.data,
        )


class MilestoneForm(Form):
    """A letter, a tool or a gift, and its days."""

    code = HiddenField()
    name = StringField(_l("Name"), validators=[Length(max=120)])
    from_day = _number(_l("First day"))
    until_day = _number(_l("Last day"))

    def to_milestone(self) -> Milestone:
        """Return the milestone."""
        name = (self.name.data or "").strip()
        return Milestone(self.code.data or "", name, self.from_day.data, self.until_day.data)


class PreviewForm(Form):
    """For whom the weeks are shown."""

    pick = RadioField(
        _l("The patient chooses"),
        choices=[SelectChoice(each.value, labels.PICKS[each]) for each in Pick],
        default=Pick.USUAL.value,
    )
    weekday = SelectField(_l("and starts on a"), coerce=int, default=0, choices=[])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weekday.choices = [SelectChoice(day, labels.weekday(day)) for day in range(7)]

    @property
    def asked(self) -> tuple[Pick, int]:
        """What was chosen; what makes no sense counts as not chosen."""
        if not self.validate():
            return Pick.USUAL, 0
        return Pick(self.pick.data), self.weekday.data


class ProtocolForm(FlaskForm):
    """A whole protocol with as many rows as it has. ``seen`` is the version it began from."""

    seen = HiddenField()
    phases = FieldList(FormField(PhaseForm), label=_l("Phases"), max_entries=MOST_ROWS)
    max_dials = _number(_l("Tries for one call"))
    max_dials_per_day = _number(_l("Tries a day, at most"))
    min_days = _number(_l("On so many days, at least"))
    min_dayparts = _number(_l("In so many parts of the day, at least"))
    hours_between = _number(_l("Hours from try to try"))
    missed_to_review = _number(_l("Missed in a row: the caller reviews the times"))
    missed_to_check = _number(_l("Missed in a row: a coordinator checks the contact"))
    silent_days_early = _number(_l("Days of silence to the check, early on"))
    silent_days_late = _number(_l("Days of silence to the check, later"))
    early_weeks = _number(_l("Weeks that count as early"))
    unreachable_days = _number(_l("Days of silence until unreachable"))
    missed_to_welfare = _number(
        _l("Missed in a row: a nurse makes sure that who agreed to it is well; 0: never")
    )
    silent_days_welfare = _number(_l("Days of silence to that; 0: never"))
    reminder_hours = _number(_l("Hours from the reminder text to the call"))
    minutes_per_call = _number(_l("Minutes of a caller's time for a call"))
    measure_lead_days = PerhapsSmallField(
        _l("Days from “time to measure” to the best day; empty: no such text")
    )
    measure_points = FieldList(
        FormField(MeasurePointForm), label=_l("Measurements"), max_entries=MOST_ROWS
    )
    milestones = FieldList(FormField(MilestoneForm), label=_l("Milestones"), max_entries=MOST_ROWS)

    @classmethod
    def of(cls, protocol: Protocol, seen: int) -> "ProtocolForm":
        """Return the form filled with ``protocol``."""
        data = protocol.as_data()
        phases = [
            {**stored, "weeks": phase.weeks, "choices": typed_choices(phase.choices)}
            for stored, phase in zip(data.pop("phases"), protocol.phases, strict=True)
        ]
        hours = protocol.reminder_lead_minutes // MINUTES
        flat = {**data.pop("attempts"), **data.pop("follow_up"), **data}
        return cls(formdata=None, seen=seen, phases=phases, reminder_hours=hours, **flat)

    @classmethod
    def stepped(cls, posted: MultiDict[str, str], step: str) -> "ProtocolForm":
        """Return what was posted with a row added, removed or moved up."""
        return cls(formdata=MultiDict(stepped(list(posted.items(multi=True)), step)))

    @property
    def seen_number(self) -> int:
        """The newest version when the editor was opened; 0 where that makes no sense."""
        return whole(self.seen.data) or 0

    def to_protocol(self) -> Protocol:
        """Return the validated answers, without codes for what is new."""
        phases, first_week = [], 1
        for entry in self.phases:
            phases.append(entry.form.to_phase(first_week))
            first_week += max(entry.form.weeks.data, 1)
        return Protocol(
            phases=tuple(phases),
            attempts=AttemptPolicy(**self._numbers(AttemptPolicy.__dataclass_fields__)),
            reminder_lead_minutes=self.reminder_hours.data * MINUTES,
            minutes_per_call=self.minutes_per_call.data,
            follow_up=FollowUpPolicy(**self._numbers(FollowUpPolicy.__dataclass_fields__)),
            measure_points=tuple(each.form.to_measure_point() for each in self.measure_points),
            milestones=tuple(each.form.to_milestone() for each in self.milestones),
            measure_lead_days=self.measure_lead_days.data,
        )

    def mark(self, problems: Sequence[Problem]) -> None:
        """Put each problem beside its field."""
        for problem in problems:
            field = self._field_of(problem)
            words = flaw(problem)
            if problem.field == "reminder_lead_minutes" and problem.bounds:
                low, high = (each // MINUTES for each in problem.bounds)
                words = _("Use a number from %(low)s to %(high)s.", low=low, high=high)
            if words not in field.errors:
                field.errors = [*field.errors, words]

    def wrong(self) -> list[tuple[str, str, str]]:
        """Return (id of the field, its name with its row, what is wrong) from top to bottom."""
        return [
            (field.id, f"{row}{field.label.text}", " ".join(map(str, field.errors)))
            for row, field in self._fields_in_order()
            if field.errors
        ]

    def _numbers(self, names: Mapping[str, object]) -> dict[str, int]:
        return {name: self[name].data for name in names}

    def _field_of(self, problem: Problem) -> Field:
        if problem.field == "phases":
            return self.phases
        if problem.index is not None:
            return self[problem.part][problem.index].form[problem.field]
        is_reminder = problem.field == "reminder_lead_minutes"
        return self["reminder_hours" if is_reminder else problem.field]

    def _fields_in_order(self) -> Iterator[tuple[str, Field]]:
        for field in self:
            if not isinstance(field, FieldList):
                yield "", field
                continue
            if not field.entries:
                yield "", field
            for number, entry in enumerate(field, start=1):
                for inner in entry.form:
                    yield f"{field.label.text} {number}, ", inner


class PublishForm(FlaskForm):
    """Why a version is published, and for whom. The protocol travels with it as data."""

    protocol = HiddenField()
    seen = HiddenField()
    whom = RadioField(_l("For whom"), validators=[InputRequired(_l("Choose for whom."))])
    reason = TextAreaField(
        _l("Why"),
        validators=[InputRequired(_l("Write why it changes.")), Length(max=LONGEST_REASON)],
    )

    def show(self, protocol: Protocol, seen: int, words_for_enrolled: str) -> None:
        """Carry ``protocol`` along, and offer what can be chosen."""
        self.protocol.data, self.seen.data = json.dumps(protocol.as_data()), str(seen)
        self.whom.choices = [
            SelectChoice("new", _("New patients only")),
            SelectChoice("all", words_for_enrolled),
        ]

    @property
    def seen_number(self) -> int:
        """The newest version when the editor was opened; 0 where that makes no sense."""
        return whole(self.seen.data) or 0

    def carried(self) -> Protocol | None:
        """Return the protocol that travelled, None where somebody else wrote it."""
        return _read(self.protocol.data or "")

    def to_publication(self, protocol: Protocol) -> Publication:
        """Return the validated answers as the use case wants them."""
        reason = (self.reason.data or "").strip()
        return Publication(protocol, self.seen_number, reason, self.whom.data == "all")


class StartForm(FlaskForm):
    """The name of a new programme."""

    name = StringField(
        _l("Name of the new programme"),
        validators=[InputRequired(_l("Write its name.")), Length(max=60)],
    )


def _read(text: str) -> Protocol | None:
    try:
        protocol = Protocol.from_data(json.loads(text))
        problems(protocol)  # reads every field, so that nothing of another type gets through
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return protocol
