"""Work on calls that asks the carrier: in transactions of its own, on both sides of it."""

import logging
from datetime import datetime

from outreach.clock import Clock
from outreach.errors import ProviderUnavailable
from outreach.orm import Sessions, for_each, reading
from outreach.phoning import bridging, progress, settling
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import CLOCKS_DIFFER
from outreach.telephony.gateway import (
    InvalidRecipient,
    OptedOut,
    OutboundCall,
    OutcomeUnknown,
    Refused,
    TelephonyGateway,
)

log = logging.getLogger(__name__)


def place(sessions: Sessions, gateway: TelephonyGateway, call: OutboundCall, clock: Clock) -> bool:
    """Ask the carrier to ring a caller's telephone, and store what it said; once, never again.

    A person waits for it, so nothing is tried again by itself: they press once more.
    """
    try:
        receipt = gateway.place_call(call)
    except OutcomeUnknown as error:
        log.warning("call %s: no answer (%s)", call.reference, error)
        with sessions.begin() as session:
            bridging.mark_unknown(session, call.reference)
        return False
    except (ProviderUnavailable, InvalidRecipient, OptedOut, Refused) as error:
        log.warning("call %s: not placed (%s %s)", call.reference, type(error).__name__, error)
        failure = f"{type(error).__name__} {error}"
        with sessions.begin() as session:
            bridging.mark_not_placed(session, call.reference, failure, now=clock())
        return False
    with sessions.begin() as session:
        bridging.mark_taken(session, call.reference, receipt.provider_id, now=clock())
    return True


def hang_up(
    sessions: Sessions, gateway: TelephonyGateway, phone_call_id: int, *, now: datetime
) -> bool:
    """End a call for both sides; say whether the carrier was told. Asked again if it wasn't."""
    with sessions.begin() as session:
        provider_id = bridging.ask_to_stop(session, phone_call_id, now=now)
    if provider_id is None:
        return True
    try:
        gateway.hang_up(provider_id)
    except ProviderUnavailable as error:
        log.warning("call %s: not hung up (%s)", phone_call_id, error)
        return False
    return True


def settle_lost_calls(sessions: Sessions, gateway: TelephonyGateway, clock: Clock) -> int:
    """Ask the carrier about calls it has told nothing of for a while; return how many ended.

    So none is 'in progress' for ever, and none is ever placed a second time.
    """
    with reading(), sessions() as session:
        ids = settling.quiet_ids(session, now=clock())
    return for_each(ids, lambda each: _settle(sessions, gateway, each, clock()))


def _settle(
    sessions: Sessions, gateway: TelephonyGateway, phone_call_id: int, now: datetime
) -> bool:
    with reading(), sessions() as session:
        call = session.get_one(PhoneCall, phone_call_id)
        provider_id = bridging.first_sid(call)
        others = bridging.known_sids(session, call)
    try:
        provider_id = provider_id or _find(sessions, gateway, call, others, now=now)
        if provider_id is None:
            with sessions.begin() as session:
                return settling.not_found(session, phone_call_id, now=now)
        if call.stop_asked_at is not None:
            gateway.hang_up(provider_id)
        return _look_up(sessions, gateway, phone_call_id, provider_id, now=now)
    except ProviderUnavailable:
        with sessions.begin() as session:
            kept = progress.locked(session, phone_call_id)
            return kept is not None and settling.end_if_too_long(session, kept, now=now)


def _find(
    sessions: Sessions,
    gateway: TelephonyGateway,
    call: PhoneCall,
    others: list[str],
    *,
    now: datetime,
) -> str | None:
    since = call.asked_at - CLOCKS_DIFFER
    receipt = gateway.find_call(bridging.as_outbound(call), since=since, not_these=others)
    if receipt is None:
        return None
    with sessions.begin() as session:
        bridging.mark_taken(session, call.id, receipt.provider_id, now=now)
    return receipt.provider_id


def _look_up(
    sessions: Sessions,
    gateway: TelephonyGateway,
    phone_call_id: int,
    provider_id: str,
    *,
    now: datetime,
) -> bool:
    picture = gateway.look_up_call(provider_id)
    with sessions.begin() as session:
        if picture is None:
            return settling.not_found(session, phone_call_id, now=now)
        call = settling.apply_picture(session, phone_call_id, picture, now=now)
        return call is not None and call.ended_at is not None
