"""Two clinics, one caller, and a short way to ask for names."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.orm import Sessions
from outreach.patient_list import listing
from outreach.patient_list.rules import Filters, Wanted
from outreach.patient_list.selecting import Search
from outreach.searching.rules import parse
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH
from tests.fakes import MONDAY_10_CHICAGO

NOW = MONDAY_10_CHICAGO


class Place(NamedTuple):
    clinic: Clinic
    elsewhere: Clinic
    manager: StaffMember
    caller: StaffMember

    @property
    def scope(self) -> Scope:
        here = frozenset({self.clinic.id})
        return Scope(self.manager.id, everything=False, clinic_ids=here)


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic, elsewhere = make_clinic(session), make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        caller = make_staff(session, clinic, password_hash=HASH, name="Ana Lima")
        mine = make_patient(session, clinic, given_name="Mia", family_name="Mine")
        make_enrolment(session, mine, caller=caller)
        theirs = make_patient(session, clinic, given_name="Theo", family_name="Theirs")
        make_enrolment(session, theirs)
        make_patient(session, elsewhere, given_name="Fay", family_name="Faraway")
        return Place(clinic, elsewhere, manager, caller)


Names = Callable[..., list[str]]


def listed(
    session: Session, scope: Scope, wanted: Wanted, search: Search | None = None
) -> list[str]:
    """Return the names on the whole list, and hold its count to them."""
    search = search or Search()
    frame = listing.frame(session, scope, wanted.filters, now=NOW)
    lines = [
        line for some in listing.everybody(session, frame, wanted, search, size=2) for line in some
    ]
    assert listing.count(session, frame, wanted.filters, search) == len(lines)
    return [line.patient.full_name for line in lines]


@pytest.fixture
def names(sessions: Sessions, place: Place) -> Names:
    """Return the names that filters, or a search, list for the manager."""

    def ask(
        text: str = "", *, notes: bool = False, either: bool = False, **filters: object
    ) -> list[str]:
        search = Search(parse(text, is_either=either), has_notes=notes)
        with sessions() as session:
            return listed(session, place.scope, Wanted(Filters(**filters)), search)  # type: ignore[arg-type]

    return ask
