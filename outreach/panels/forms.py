"""Forms of panels: a caller for each who waits, and another caller for one patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length

from outreach.panels.assignment import Handover
from outreach.panels.roster import PanelCaller, WaitingPatient
from outreach.panels.rules import ChangeReason, LeftOut, Suggestion, suggest
from outreach.web.bounded import whole

LEFT_OUT = {
    LeftOut.NO_SHARED_LANGUAGE: _l("Nobody here speaks this language."),
    LeftOut.PANELS_FULL: _l("Everybody who speaks this language has a full panel."),
}


@dataclass(frozen=True)
class Answers:
    """What was ticked and chosen on the panels page: enrolment ids, and caller of each."""

    ticked: frozenset[int]
    caller_of: Mapping[int, int]

    @classmethod
    def posted(cls, posted: MultiDict[str, str]) -> "Answers":
        """Return the answers of a posted page; what is no number counts as not chosen."""
        ticked = {whole(value) for value in posted.getlist("pick")}
        chosen = {
            whole(name.removeprefix("caller-")): whole(value)
            for name, value in posted.items()
            if name.startswith("caller-")
        }
        return cls(
            frozenset(each for each in ticked if each is not None),
            {each: caller for each, caller in chosen.items() if each is not None and caller},
        )

    @classmethod
    def suggested(cls, suggestion: Suggestion) -> "Answers":
        """Return the answers that a fresh page begins with: all that is suggested."""
        return cls(frozenset(suggestion.caller_of), suggestion.caller_of)

    @property
    def wanted(self) -> dict[int, int]:
        """Who is to be assigned to whom."""
        return {each: self.caller_of[each] for each in self.ticked if each in self.caller_of}

    @property
    def unanswered(self) -> frozenset[int]:
        """Enrolments that were ticked without a caller."""
        return self.ticked - self.caller_of.keys()


@dataclass(frozen=True)
class Line:
    """One waiting patient on the page, with the callers who share the language."""

    patient: WaitingPatient
    able: Sequence[PanelCaller]
    chosen_id: int | None
    is_ticked: bool
    left_out: str
    problem: str


class AssignForm(FlaskForm):
    """The panels page; its lines are as many as patients wait, so they are read apart."""

    above_cap = BooleanField(_l("Go above the cap"))

    def refuse(self, message: str) -> None:
        """Put ``message`` on top of the page."""
        self.form_errors.append(message)


def lines_of(
    waiting: Sequence[WaitingPatient],
    callers: Sequence[PanelCaller],
    answers: Answers | None,
    refused: frozenset[int] = frozenset(),
) -> list[Line]:
    """Return the lines of the page: as answered, or as suggested where nobody answered yet."""
    suggestion = suggest([each.facts for each in waiting], [each.facts for each in callers])
    shown = answers or Answers.suggested(suggestion)
    return [
        Line(
            patient,
            [caller for caller in callers if patient.language in caller.languages],
            shown.caller_of.get(patient.enrolment_id),
            patient.enrolment_id in shown.ticked,
            _words_for(suggestion.left_out.get(patient.enrolment_id)),
            _problem(patient.enrolment_id, shown, refused),
        )
        for patient in waiting
    ]


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
    def of(cls, callers: Sequence[PanelCaller], from_id: int | None) -> "ChangeCallerForm":
        """Return the form with who may be chosen; a first caller needs no reason or note."""
        form = cls(data={"from_id": from_id or ""})
        form.caller_id.choices = [SelectChoice(each.caller_id, place_of(each)) for each in callers]
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


def place_of(caller: PanelCaller) -> str:
    """Return a caller with the state of their panel: 'Ana, 12 of 20'."""
    text = _("%(name)s, %(n)s of %(cap)s", name=caller.name, n=caller.panel_size, cap=caller.cap)
    return f"{text}, {_('full')}" if caller.is_full else str(text)


def _words_for(left_out: LeftOut | None) -> str:
    return str(LEFT_OUT[left_out]) if left_out else ""


def _problem(enrolment_id: int, answers: Answers, refused: frozenset[int]) -> str:
    if enrolment_id in answers.unanswered:
        return str(_("Choose a caller, or take the tick away."))
    if enrolment_id in refused:
        return str(_("Choose a caller who works here and speaks the language."))
    return ""
