"""Where the carrier reports and asks about calls. No session, no CSRF: the signature is the proof.

Each address carries our own id, so order does not matter. What is signed is answered calmly,
whatever it carries: the carrier would only try again, or say 'an application error' aloud.
"""

import logging

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from outreach.accounts.access import open_to_carrier
from outreach.brakes import access as brakes
from outreach.db import db
from outreach.deps import deps
from outreach.phoning import bridging, progress, returning, templates
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import Direction
from outreach.telephony.gateway import (
    Answer,
    AskForKey,
    BadSignature,
    Connect,
    End,
    Leg,
    LegStatus,
    LetTalk,
    VoiceNews,
)
from outreach.web.bounded import whole
from outreach.web.signed import signed_request

bp = Blueprint("phoning_webhooks", __name__, url_prefix="/webhooks/voice")
log = logging.getLogger(__name__)


@bp.post("/incoming")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def incoming() -> ResponseReturnValue:
    """Somebody rings a clinic's number."""
    news = _news()
    return _answered(returning.arrive(db.session, news, now=deps().clock()))


@bp.post("/<reference>/answered")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def answered(reference: str) -> ResponseReturnValue:
    """One of the staff picked up: ask for a key, so that no voicemail is ever put through."""
    news, call = _news(), _call(reference)
    if call is None or not bridging.admit(call, news.provider_id, now=deps().clock()):
        return _answered(End())
    is_out = call.direction is Direction.OUT
    return _answered(
        AskForKey(call.id, templates.put_through() if is_out else templates.returned())
    )


@bp.post("/<reference>/key")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def key(reference: str) -> ResponseReturnValue:
    """They pressed a key: ring the patient, or let in the one who rang back."""
    news, call, now = _news(), _call(reference), deps().clock()
    if call is None or not news.key or not bridging.admit(call, news.provider_id, now=now):
        return _answered(End())
    if call.direction is Direction.IN:
        progress.note_talk(call, now=now)
        return _answered(LetTalk())
    if not bridging.may_ring_patient(db.session, call, now=now):
        return _answered(End(templates.too_late()))
    return _answered(Connect(call.id, call.number, call.shown_number, Leg.PATIENT))


@bp.post("/<reference>/over")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def over(reference: str) -> ResponseReturnValue:
    """The telephone that was rung second is done, or never picked up."""
    news, call, now = _news(), _call(reference), deps().clock()
    if call is None:
        return _answered(End())
    other = Leg.PATIENT if call.direction is Direction.OUT else Leg.STAFF
    if news.dialled is not None and news.dialled.provider_id:
        progress.apply(db.session, call, other, news.dialled, now=now)
    if call.direction is Direction.IN and call.answered_at is None:
        return _answered(returning.missed(db.session, call, now=now))
    return _answered(End())


@bp.post("/<reference>/staff")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def staff_leg(reference: str) -> ResponseReturnValue:
    """Take a report about the telephone of one of the staff."""
    return _reported(reference, Leg.STAFF)


@bp.post("/<reference>/patient")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def patient_leg(reference: str) -> ResponseReturnValue:
    """Take a report about the patient's telephone."""
    return _reported(reference, Leg.PATIENT)


@bp.post("/<reference>/answered-by")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def answered_by(reference: str) -> ResponseReturnValue:
    """Take the news that a person, or a machine, answered."""
    news, call = _news(), _call(reference)
    is_ours = call is not None and call.patient_sid in (None, news.provider_id)
    if call is not None and is_ours and news.answered_by is not None:
        progress.note_machine(call, news.answered_by)
    db.session.commit()
    return "", 204


def _reported(reference: str, leg: Leg) -> ResponseReturnValue:
    news, call, now = _news(), _call(reference), deps().clock()
    is_news = news.leg is not None and news.leg.status is not LegStatus.NONE
    if call is not None and news.leg is not None and is_news:
        progress.apply(db.session, call, leg, news.leg, now=now)
        returning.note_if_missed(db.session, call, now=now)
    db.session.commit()
    return "", 204


def _news() -> VoiceNews:
    """Return what the carrier says; its signature is checked before anything is read."""
    return deps().gateway.read_voice(signed_request())


def _call(reference: str) -> PhoneCall | None:
    call = progress.locked(db.session, whole(reference))
    if call is None:
        log.warning("a report of a call that we don't know: %r", reference)
    return call


def _answered(answer: Answer) -> ResponseReturnValue:
    db.session.commit()
    return Response(deps().gateway.document(answer), content_type="text/xml; charset=utf-8")
