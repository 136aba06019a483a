"""The table of requests that are killed; ``test_changing_routes`` holds it against the routes.

All are walked in the same two ways (``walking.py``): at statements the process ends by an
exception that nothing catches, on both sides of each commit by a real ``kill -9``.
"""

import io

from tests.integration.kills.calls_table import CALLS
from tests.integration.kills.clinic_table import CLINIC, IMPORTED, uploaded
from tests.integration.kills.patients_table import PATIENTS
from tests.integration.kills.people_table import PEOPLE
from tests.integration.kills.sending import Request

WALKED: dict[str, Request] = {**CALLS, **CLINIC, **PATIENTS, **PEOPLE}

# Requests that write nothing to the database, and why; a test sends each of them.
NOTHING: dict[str, tuple[Request, str]] = {
    "calls.hide_openers": (
        Request("caller", "/calls/{patient}/openers", {"hide": "1"}),
        "kept in the browser's cookie",
    ),
    "fhir.nothing": (Request(None, "/fhir/Patient"), "the API can only be read"),
    "intake.upload": (
        Request("manager", "/import/", {"files": lambda: (io.BytesIO(IMPORTED), "patients.csv")}),
        "a file that waits in a folder until it is imported, thrown away or swept up",
    ),
    "intake.discard": (
        Request("manager", lambda world: f"{uploaded(world)}/discard"),
        "takes a file away, and can be done again",
    ),
    "protocols.edit": (
        Request("administrator", "/programmes/published-protocol/edit", {"do": "back"}),
        "steps of an editor; the page carries what was typed, and publishing keeps it",
    ),
    "protocols.set_up": (
        Request("administrator", "/programmes/"),
        "there is a programme; where there is none, it is added by the first who asks for one",
    ),
    "wordings.look": (
        Request("manager", "/wordings/thank_you/en/look", {"body": "Thank you."}),
        "shows how words would look",
    ),
}
