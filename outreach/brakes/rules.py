"""What is braked, over how long it is counted, and how often is too often. Pure."""

import enum
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from outreach.errors import RuleBroken

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


class BadLimits(RuleBroken):
    """The limits as written can't be read; the message says which."""


class Braked(enum.StrEnum):
    """What is counted: of one account, and what strangers try by their network address."""

    SEARCHES = "searches"  # for patients, and in the audit trail
    LOOKS = "looks"  # pages of patients, each once in ten minutes
    LISTS = "lists"  # pages that list whole clinics' patients
    EMERGENCIES = "emergencies"  # patients that administrators open with a reason
    LINKS = "links"  # invitations, and links to set a password anew
    TEXTS = "texts"  # to patients, in one's own words
    FILES = "files"  # that somebody asks to take away
    STRANGERS = "strangers"  # unsigned webhooks, links that are none, questions to passkeys


@dataclass(frozen=True)
class Limit:
    """How many of something in one stretch of the clock."""

    most: int
    within: timedelta


# Several times what a hurried person does; what a program does in seconds.
LIMITS: Mapping[Braked, Limit] = {
    Braked.SEARCHES: Limit(60, _MINUTE),
    Braked.LOOKS: Limit(600, _HOUR),
    Braked.LISTS: Limit(600, _HOUR),
    Braked.EMERGENCIES: Limit(20, _HOUR),
    Braked.LINKS: Limit(60, _HOUR),
    Braked.TEXTS: Limit(120, _HOUR),
    Braked.FILES: Limit(60, _HOUR),
    Braked.STRANGERS: Limit(60, _MINUTE),
}
_LARGEST = 1_000_000


def limits_of(written: str) -> Mapping[Braked, Limit]:
    """Return the limits with those of a setting, ``looks=300 searches=20``, in their place.

    Raises:
        BadLimits
    """
    limits = dict(LIMITS)
    for each in written.replace(",", " ").split():
        name, _, number = each.partition("=")
        is_number = number.isascii() and number.isdigit() and len(number) <= len(str(_LARGEST))
        if name not in set(Braked) or not is_number or not 1 <= int(number) <= _LARGEST:
            known = ", ".join(Braked)
            raise BadLimits(f"RATE_LIMITS: {each!r} is not name=number; names are {known}.")
        limits[Braked(name)] = Limit(int(number), LIMITS[Braked(name)].within)
    return limits


def begin_of(limit: Limit, now: datetime) -> datetime:
    """Return when the stretch of the clock began that ``now`` lies in."""
    seconds = int(limit.within.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def wait_of(limit: Limit, now: datetime) -> timedelta:
    """Return how long it is until the next stretch begins: more than nothing."""
    return begin_of(limit, now) + limit.within - now


_ONE_CUSTOMER = 64  # bits of an IPv6 address; the others are theirs to choose. RFC 6177, RFC 8981


def network_of(address: str) -> str:
    """Return the place that a network address counts as: itself, of IPv6 its customer's network.

    What is no address, as where the server listens on a socket of this machine, is itself.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    plain = address.partition("%")[0]
    return str(ipaddress.ip_network((plain, _ONE_CUSTOMER), strict=False))
