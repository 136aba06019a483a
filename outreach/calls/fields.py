"""Fields of the call's form that stand by themselves: what becomes of calls and texts."""

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, Field, RadioField, SelectChoice, StringField
from wtforms.validators import Length, Optional, StopValidation

from outreach.calls.ending import Afterwards
from outreach.calls.rules import Outcome
from outreach.goals.rules import LONGEST_NEWS
from outreach.programmes.labels import PAUSE_REASONS, PAUSE_TROUBLES
from outreach.programmes.rules import PauseReason, trouble_with_pause
from outreach.web import bounded

GOES_ON, DIED = "", "died"
GOAL_PREFIX = "goal-"


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
