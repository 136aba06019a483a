"""The words of the telephone."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from outreach.patients.models import Patient
from outreach.phoning import templates
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import (
    Direction,
    Ending,
    Stage,
    begun_minutes,
    stage_of,
    talk_seconds,
)
from outreach.telephony.gateway import AnsweredBy, Words
from outreach.web.phones import as_written


def phone_state(
    call: PhoneCall, patient: Patient, caller_name: str, now: datetime
) -> dict[str, Any]:
    """Return a call as the screen shows it, and as its script asks for it again and again.

    ``talk_seconds`` while they talk, so that the clock on the screen starts at the right time
    whatever the computer's own clock says. ``card``: the neutral voicemail to speak, or that
    none is to be left, once a machine has answered.
    """
    stage = stage_of(call.facts)
    card = _card(call, patient, caller_name)
    return {
        "stage": stage.value,
        "is_over": stage is Stage.ENDED,
        "words": _stage_words(call, stage, patient.called),
        "ending": call.ending.value if call.ending else None,
        "may_leave_voicemail": call.may_leave_voicemail,
        "talk_seconds": talk_seconds(call.answered_at, call.ended_at, now)
        if stage is Stage.CONNECTED
        else None,
        "card": card.text if card else None,
        "card_language": card.language if card else templates.FALLBACK,
    }


def _stage_words(call: PhoneCall, stage: Stage, name: str) -> str:
    if stage is Stage.ENDED:
        return _ending_words(call, name)
    if stage is Stage.ASKING and call.failure:
        return _("The telephone company did not answer. We are finding out whether it rings.")
    if stage is Stage.CONNECTED and call.answered_by is AnsweredBy.MACHINE:
        return _("A machine answered")
    if call.direction is Direction.IN and stage is not Stage.CONNECTED:
        return _("%(name)s is ringing you back", name=name)
    return {
        Stage.ASKING: _("Asking the telephone company"),
        Stage.RINGING_STAFF: _("Your phone is ringing"),
        Stage.STAFF_ON: _("Press 1 on your phone"),
        Stage.RINGING_PATIENT: _("Ringing %(name)s", name=name),
        Stage.CONNECTED: _("Connected"),
    }[stage]


def _ending_words(call: PhoneCall, name: str) -> str:
    if call.ending is Ending.TALKED and call.seconds is not None:
        return _("Ended, %(n)s min", n=begun_minutes(call.seconds))
    return {
        Ending.TALKED: _("Ended"),
        Ending.MACHINE: _("Ended: a machine answered"),
        Ending.NO_ANSWER: _("%(name)s did not answer", name=name),
        Ending.BUSY: _("Busy"),
        Ending.UNREACHABLE: _("The number could not be reached"),
        Ending.GIVEN_UP: _("Ended before %(name)s answered", name=name),
        Ending.NOBODY_THERE: _("Your phone was not answered; %(name)s was not rung", name=name)
        if call.direction is Direction.OUT
        else _("%(name)s rang back and nobody took it", name=name),
        Ending.NOT_PLACED: _("The call did not go out. Nobody was rung."),
        Ending.LOST: _("Ended; the telephone company can't say how"),
    }[call.ending or Ending.LOST]


def _card(call: PhoneCall, patient: Patient, caller_name: str) -> Words | None:
    if call.answered_by is not AnsweredBy.MACHINE:
        return None
    if not call.may_leave_voicemail:
        return Words(
            _("A machine answered. Hang up without leaving a message."), templates.FALLBACK
        )
    return templates.voicemail(
        patient.language,
        patient=patient.called,
        caller=caller_name.split(" ", maxsplit=1)[0],
        phone=as_written(call.shown_number),
    )
