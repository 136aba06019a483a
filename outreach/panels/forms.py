"""Forms of panels: a proposal's lines, and another caller for one patient."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from outreach.panels.assignment import Handover
from outreach.panels.models import ProposalLine
from outreach.panels.proposals import Choice, Filled, state_of
from outreach.panels.roster import PanelCaller
from outreach.panels.rules import ChangeReason, LeftOut
from outreach.panels.rules.matching import UNMET_COST, Unmet
from outreach.web.bounded import LARGEST, whole
from outreach.web.number_fields import WholeField

# Of those who are not ready, since they are away or not trained, nothing is said: a panel of
# theirs may have room.
LEFT_OUT = {
    LeftOut.NO_SHARED_LANGUAGE: _l("Nobody here speaks this language."),
    LeftOut.NOT_TRAINED: _l("Nobody who speaks this language has finished training."),
    LeftOut.AWAY: _l("Everybody who speaks this language is away within 7 days."),
    LeftOut.PANELS_FULL: _l("Everybody here who speaks this language has a full panel."),
    LeftOut.HOURS_FULL: _l("Everybody here who speaks this language has no hours left."),
}


UNMET = {
    Unmet.SOMEBODY_ELSE: _l("they asked for somebody else before"),
    Unmet.CONTINUITY: _l("not their former caller"),
    Unmet.CALLER: _l("not whom they wished to speak with"),
    Unmet.TIMES: _l("works at other times than they like"),
}


class ApplyForm(FlaskForm):
    """One press that gives everybody on a proposal their caller."""

    proposal_id = WholeField(
        widget=HiddenInput(), validators=[InputRequired(), NumberRange(1, LARGEST)]
    )
    seen = WholeField(widget=HiddenInput(), validators=[InputRequired(), NumberRange(0, LARGEST)])
    above_cap = BooleanField(_l("Go above the cap of a panel"))


class LineForm(FlaskForm):
    """Another caller and first day for one line of a proposal; no caller: not yet."""

    seen = HiddenField()
    caller_id = RadioField(_l("Caller"), coerce=int)
    starts_on = DateField(_l("First day"), validators=[Optional()])

    @classmethod
    def of(cls, line: ProposalLine, able: Sequence[Filled]) -> "LineForm":
        """Return the form with the callers who may have this patient, and nobody."""
        form = cls(
            data={
                "seen": state_of(line),
                "caller_id": line.caller_id or 0,
                "starts_on": line.starts_on,
            }
        )
        form.caller_id.choices = [
            *(SelectChoice(each.caller.caller_id, each.name) for each in able),
            SelectChoice(0, _l("Nobody yet")),
        ]
        return form

    def to_choice(self) -> Choice:
        """Return the validated answers as the use case wants them."""
        return Choice(self.caller_id.data or None, self.starts_on.data, self.seen.data or "")


class ChangeCallerForm(FlaskForm):
    """Another caller for one patient. ``from_id`` is the membership that was on the page."""

    from_id = HiddenField()
    caller_id = SelectField(_l("New caller"), coerce=int)
    reason = RadioField(
        _l("Why"),
        choices=[
            SelectChoice(ChangeReason.PATIENT_ASKED.value, _l("The patient asked")),
            SelectChoice(ChangeReason.CALLER_LEFT.value, _l("The caller left")),
            SelectChoice(ChangeReason.BALANCE.value, _l("To balance the panels")),
        ],
        validators=[InputRequired(_l("Choose why."))],
    )
    note = TextAreaField(
        _l("Handover note"),
        validators=[
            InputRequired(_l("Write what the new caller should know.")),
            Length(max=4000),
        ],
    )
    above_cap = BooleanField(_l("Go above the cap"))

    @classmethod
    def of(
        cls,
        callers: Sequence[PanelCaller],
        from_id: int | None,
        unmet: Mapping[int, Sequence[Unmet]],
    ) -> "ChangeCallerForm":
        """Return the form with who may be chosen; a first caller needs no reason or note.

        Those who do not meet a wish of the patient (``unmet``, by caller) come last, and say so.
        """
        form = cls(data={"from_id": str(from_id or "")})
        form.caller_id.choices = [
            SelectChoice(each.caller_id, place_of(each, unmet.get(each.caller_id, ())))
            for each in sorted(callers, key=lambda each: _cost(unmet.get(each.caller_id, ())))
        ]
        if from_id is None:
            del form.reason
            del form.note
        return form

    def to_handover(self) -> Handover:
        """Return the validated answers as the use case wants them."""
        return Handover(
            whole(self.from_id.data),
            self.caller_id.data,
            ChangeReason(self.reason.data) if "reason" in self else ChangeReason.ENROLLED,
            (self.note.data or "").strip() if "note" in self else "",
        )


def _cost(unmet: Sequence[Unmet]) -> int:
    return sum(UNMET_COST[wish] for wish in unmet)


def place_of(caller: PanelCaller, unmet: Sequence[Unmet]) -> str:
    """Return a caller with the state of their panel, and wishes not met: 'Ana, 12 of 20'."""
    text = _("%(name)s, %(n)s of %(cap)s", name=caller.name, n=caller.panel_size, cap=caller.cap)
    more = [_("full")] if caller.is_full else []
    more += [UNMET[wish] for wish in unmet]
    return ", ".join(map(str, (text, *more)))
