"""Clinics, and regions of them, as groups of a report: the one way to tell of several."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from outreach.accounts import regions
from outreach.accounts.models import Clinic


@dataclass(frozen=True)
class Place:
    """A clinic, or a region with those of its clinics that the reader sees.

    ``key`` is the clinic's code or the number of the region; "" is for what is in no region.
    """

    key: str
    name: str
    clinics: Sequence[Clinic]


def of(session: Session, clinics: Sequence[Clinic], *, by_region: bool) -> list[Place]:
    """Return ``clinics`` one by one, or by region and by name; what is in no region comes last."""
    if not by_region:
        return [Place(each.code, each.name, [each]) for each in clinics]
    region_of = regions.region_of(session, [each.id for each in clinics])
    found: dict[str, Place] = {}
    for each in clinics:
        region = region_of.get(each.id)
        key, name = (str(region.id), region.name) if region else ("", "")
        of_it = found[key].clinics if key in found else ()
        found[key] = Place(key, name, [*of_it, each])
    return sorted(
        found.values(), key=lambda place: (not place.key, place.name.casefold(), place.key)
    )
