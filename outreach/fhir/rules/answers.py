"""What stands around resources: a Bundle, an OperationOutcome, the CapabilityStatement. Pure.

Source: hl7.org/fhir/R4 bundle.html, operationoutcome.html, capabilitystatement.html.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from outreach.fhir.rules.asked import KINDS, Search
from outreach.fhir.rules.resources import Resource

FHIR_VERSION = "4.0.1"
# Of the API, not of the product: docs/api.md says what may change within one.
VERSION = "1.1"
_CHANGED_ON = "2026-11-29"
# Codes of an issue (issue-type), by the HTTP status with which it goes out.
ISSUES = {
    400: "invalid",
    401: "login",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    429: "throttled",
    503: "transient",
}


def outcome(status: int, words: str) -> Resource:
    """Return why a request got no other answer."""
    issue = {"severity": "error", "code": ISSUES.get(status, "exception"), "diagnostics": words}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def bundle(
    base: str, kind: str, search: Search, page: Sequence[Resource], after: str | None
) -> Resource:
    """Return a page of what was found. ``base`` is the address of the API, without a stroke."""
    links = [{"relation": "self", "url": _address(base, kind, search.page(search.after))}]
    if after is not None:
        links.append({"relation": "next", "url": _address(base, kind, search.page(after))})
    entries = [
        {
            "fullUrl": f"{base}/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in page
    ]
    found = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return found | ({"entry": entries} if entries else {})


def _address(base: str, kind: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{base}/{kind}?{urlencode(parameters)}"


def capabilities(base: str) -> Resource:
    """Return what the API at ``base`` can do."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _CHANGED_ON,
        "kind": "instance",
        "software": {"name": "Outreach", "version": VERSION},
        "implementation": {
            "description": "Patients, readings and calls of one clinic, to read only",
            "url": base,
        },
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "description": "Authorization: Bearer and an access key of the clinic",
                },
                "resource": [
                    {
                        "type": each.name,
                        "documentation": each.words,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "versioning": "no-version",
                        "searchParam": [
                            {
                                "name": parameter.name,
                                "type": parameter.kind,
                                "documentation": parameter.words,
                            }
                            for parameter in each.parameters
                        ],
                    }
                    for each in KINDS.values()
                ],
            }
        ],
    }
