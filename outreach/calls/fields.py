"""Fields of the call's form that stand by themselves: what becomes of calls and texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    Field,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, NumberRange, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.calls.ending import Afterwards
from outreach.calls.rules import LONGEST_CALL_MINUTES, Outcome
from outreach.concerns.low_sugar import Said
from outreach.concerns.rules import FRESH, Limits, LowSugar, Measured, low_now
from outreach.goals.rules import LONGEST_NEWS
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import REGISTRY, units_meant
from outreach.patients.rules import ContactHours
from outreach.phoning.bridging import Desk
from outreach.programmes.labels import PAUSE_REASONS, PAUSE_TROUBLES
from outreach.programmes.rules import PauseReason, trouble_with_pause
from outreach.results.fields import Taking
from outreach.web import bounded
from outreach.web.number_fields import WholeField

GOES_ON, DIED = "", "died"
_LAST_DAYS = date(9999, 1, 1)  # a slip of a key; some weeks on there is no day any more
GOAL_PREFIX = "goal-"
TREATED, HELP = "treated", "help"


@dataclass(frozen=True)
class Around:
    """What the form needs to know of the call around it.

    ``ended_at`` is when Save was pressed: before ``now`` where there was no connection.
    ``own`` is what a nurse set for this patient's blood sugar.
    """

    zone: ZoneInfo
    now: datetime
    number_ids: Sequence[int]
    promise_ids: Sequence[int]
    started_at_minutes: int | None
    ended_at: datetime
    born_on: date
    lawful: ContactHours
    desk: Desk
    programme_ends_on: date
    weighed: tuple[Decimal, datetime] | None = None
    own: Limits | None = None

    @property
    def taking(self) -> Taking:
        """What is to know of whom was measured."""
        return Taking(self.zone, self.ended_at, self.born_on, self.weighed)

    @property
    def fresh_since(self) -> str:
        """From when on a low reading is one of now, on the patient's clock, for the page."""
        return (self.ended_at - FRESH).astimezone(self.zone).strftime("%Y-%m-%dT%H:%M")

    def low(self, readings: Sequence[ReportedReading], *, is_confirmed: bool) -> LowSugar | None:
        """Return how low the blood sugar among ``readings`` is now, if one is low.

        A value that no body has is refused beside its field, and passed over here; so is one
        that looks like the other unit, until it was read back (``is_confirmed``).
        """
        found = (
            low_now(_measured(each), now=self.ended_at, own=self.own)
            for each in readings
            if _is_meant(each, is_confirmed=is_confirmed)
        )
        return next((level for level in found if level), None)


def _is_meant(reading: ReportedReading, *, is_confirmed: bool) -> bool:
    if reading.bound is not None:
        return True
    units = units_meant(reading.kind, reading.value, reading.unit, is_confirmed=is_confirmed)
    return units == (reading.unit,)


def _measured(reading: ReportedReading) -> Measured:
    value = REGISTRY[reading.kind].in_canonical_unit(reading.value, reading.unit)
    return Measured(reading.kind, value, reading.taken_at, reading.signs, reading.bound)


def note_field() -> Field:
    """Return the field of a call's note."""
    return TextAreaField(
        _l("Note"),
        validators=[Length(max=10_000, message=_l("Use at most 10,000 characters."))],
    )


def minutes_field() -> Field:
    """Return the field of how long a call was."""
    return WholeField(
        _l("Minutes"),
        validators=[
            Optional(),
            NumberRange(0, LONGEST_CALL_MINUTES, _l("Write minutes from 0 to 240.")),
        ],
    )


class GoalNewsField(Field):
    """What was told of each goal: the fields ``goal-<id>`` of the page, as id to words."""

    def process(self, formdata: Any, *_rest: Any, **_more: Any) -> None:
        """Collect what was typed; a name that is no goal's is not ours."""
        self.process_errors: list[str] = []
        self.data: dict[int, str] = {}
        for name in formdata or ():
            goal_id = bounded.whole(name.removeprefix(GOAL_PREFIX))
            words = (formdata.get(name) or "").strip()
            if name.startswith(GOAL_PREFIX) and goal_id is not None and words:
                self.data[goal_id] = words

    def pre_validate(self, form: Any) -> None:
        """Refuse more words than a goal's news can hold."""
        del form
        if any(len(words) > LONGEST_NEWS for words in self.data.values()):
            raise StopValidation(_("Use at most 500 characters for a goal."))


class AfterwardsFields:
    """Whether calls rest or end, texts stop, or one says we tried. Mixed into the call's form."""

    rest = RadioField(
        _l("From here on"),
        choices=[
            SelectChoice(GOES_ON, _l("Calls go on")),
            *(SelectChoice(each.value, PAUSE_REASONS[each]) for each in PauseReason),
            SelectChoice(DIED, _l("Has died")),
        ],
        default=GOES_ON,
        validators=[Optional()],
    )
    rest_from = DateField(_l("First day away"), validators=[Optional()])
    rest_until = DateField(_l("Call again from"), validators=[Optional()])
    ends_texts = BooleanField(_l("No more texts; calls go on"))
    tells_missed = BooleanField(_l("Text them that we tried"))
    their_words = StringField(
        _l("In their words"),
        validators=[Length(max=150, message=_l("Use at most 150 characters."))],
    )

    def rest_begins(self, today: date) -> date:
        """Return the day that weeks of rest count from: the one typed, where there are weeks."""
        first = self.rest_from.data
        return first if first is not None and first < _LAST_DAYS else today

    def afterwards(self, outcome: Outcome) -> Afterwards:
        """Return the validated answers. Somebody who wants no more calls needs no pause."""
        words = (self.their_words.data or "").strip()
        if outcome is Outcome.OPTED_OUT:
            return Afterwards(words=words)
        has_died = self.rest.data == DIED
        is_pause = not has_died and self.rest.data in set(PauseReason)
        return Afterwards(
            pause=PauseReason(self.rest.data) if is_pause else None,
            until=self.rest_until.data if is_pause else None,
            from_on=self.rest_from.data if is_pause else None,
            has_died=has_died,
            ends_texts=bool(self.ends_texts.data),
            tells_missed=bool(self.tells_missed.data) and not outcome.is_reached,
            words=words,
        )

    def trouble_afterwards(self, outcome: Outcome | None, today: date) -> tuple[Any, str] | None:
        """Return (field, what is wrong with it), None where nothing is."""
        if outcome is None or outcome is Outcome.OPTED_OUT:
            return None
        rest, until, first = self.rest.data, self.rest_until.data, self.rest_from.data
        if rest == DIED and outcome.is_reached:
            return self.rest, _("You spoke with them: choose something else.")
        if rest == PauseReason.OTHER.value and not (self.their_words.data or "").strip():
            return self.their_words, _("Write in a few words why the calls rest.")
        if rest not in set(PauseReason):
            return None
        trouble = trouble_with_pause(first, until, today)
        if trouble is None:
            return None
        field = self.rest_until if trouble.is_about_end else self.rest_from
        return field, str(PAUSE_TROUBLES[trouble])


class LowSugarFields:
    """What was said when the low-sugar card was read. Mixed into the call's form.

    ``low_card`` is the version that stood on the page, ``low_asked`` set once the page has asked
    again: nobody is kept from saving.
    """

    low_said = SelectMultipleField(
        _l("What they said"),
        choices=[
            SelectChoice(TREATED, _l("They say that it is treated")),
            SelectChoice(HELP, _l("Help is coming")),
        ],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    low_card = HiddenField()
    low_asked = HiddenField()

    @property
    def said_of_low(self) -> Said:
        """What was ticked."""
        ticked = self.low_said.data or ()
        return Said(TREATED in ticked, HELP in ticked, bounded.whole(self.low_card.data) or 0)

    def trouble_with_low(self, how_low: LowSugar | None) -> str | None:
        """Return what is asked once more before a call with a level 2 low ends, or None."""
        is_answered = self.said_of_low.is_settled or self.low_asked.data
        if how_low is not LowSugar.LEVEL_2 or is_answered:
            return None
        return _(
            "Nobody has said that the low sugar is treated, or that help is coming. Ask, and tick "
            "what they say. If they can't say it, save again. On top you see who is told of it."
        )
