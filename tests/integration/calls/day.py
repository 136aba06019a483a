"""A caller with one patient to call now."""

from outreach.accounts.models import Clinic, StaffMember
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH


class Day:
    """A clinic with two callers; the first has one patient with a call due now."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            self.nurse: StaffMember = make_on_call(session, self.clinic)
            self.ana: StaffMember = make_staff(
                session, self.clinic, name="Ana Morales", password_hash=HASH
            )
            self.ben: StaffMember = make_staff(
                session, self.clinic, name="Ben Ode", password_hash=HASH
            )
            self.rosa: Patient = make_patient(session, self.clinic, family_name="Nguyen")
            enrolment = make_enrolment(session, self.rosa, caller=self.ana)
            self.call: PlannedCall = make_planned_call(session, enrolment)

    def typed(self, note: str, version: str, tab: str = "a") -> dict[str, str]:
        call = str(self.call.id)
        return {"note": note, "version": version, "tab": tab, "planned_call_id": call}

    def form(self, **answers: str) -> dict[str, str]:
        base = {"planned_call_id": str(self.call.id), "form_key": "one", "glucose_unit": "mg/dL"}
        units = {"hba1c_unit": "%", "weight_unit": "kg"}
        return {**base, **units, **answers}
