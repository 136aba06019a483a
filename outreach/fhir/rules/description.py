"""The API in the words of OpenAPI 3.1, made of the table that the routes use. Pure.

Source: spec.openapis.org/oas/v3.1.0.
"""

from collections.abc import Mapping
from typing import Any

from outreach.access_keys.rules import MOST_A_MINUTE
from outreach.fhir.rules.answers import VERSION
from outreach.fhir.rules.asked import (
    AFTER,
    COUNT,
    FORMAT,
    FORMATS,
    KINDS,
    MOST_COUNT,
    USUAL_COUNT,
    Kind,
    Parameter,
)

Schema = dict[str, Any]

MEDIA = "application/fhir+json"
_TEXT: Schema = {"type": "string"}
_REFERENCE: Schema = {
    "type": "object",
    "properties": {"reference": {"type": "string", "pattern": "^Patient/"}, "display": _TEXT},
}
_CONCEPT: Schema = {
    "type": "object",
    "required": ["coding"],
    "properties": {
        "coding": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["system", "code"],
                "properties": {"system": _TEXT, "code": _TEXT, "display": _TEXT},
            },
        }
    },
}
_QUANTITY: Schema = {
    "type": "object",
    "required": ["value", "unit", "system", "code"],
    "properties": {
        "value": {"type": "number"},
        "comparator": {"enum": ["<", ">"]},
        "unit": _TEXT,
        "system": {"const": "http://unitsofmeasure.org"},
        "code": _TEXT,
    },
}
_PERIOD: Schema = {"type": "object", "properties": {"start": _TEXT, "end": _TEXT}}


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def _meta(**more: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["lastUpdated"],
        "properties": {"lastUpdated": {"type": "string", "format": "date-time"}, **more},
    }


def _resource(name: str, required: str, properties: Mapping[str, Schema]) -> Schema:
    """Return a resource that has what is named here; later ones of this version may have more."""
    own = {"resourceType": {"const": name}, "id": _TEXT} | dict(properties)
    return {
        "type": "object",
        "required": ["resourceType", *required.split()],
        "properties": own,
    }


_RESOURCES: Mapping[str, Schema] = {
    "Patient": _resource(
        "Patient",
        "id identifier name gender birthDate communication",
        {
            "identifier": _list(
                {
                    "type": "object",
                    "required": ["value"],
                    "properties": {
                        "use": _TEXT, "type": _CONCEPT, "value": _TEXT,
                        "assigner": {"type": "object", "properties": {"display": _TEXT}},
                    },
                }
            ),
            "name": _list(
                {
                    "type": "object",
                    "required": ["use", "given"],
                    "properties": {
                        "use": {"enum": ["official", "usual"]},
                        "family": _TEXT, "given": _list(_TEXT),
                    },
                }
            ),
            "telecom": _list(
                {
                    "type": "object",
                    "required": ["system", "value"],
                    "properties": {
                        "system": {"const": "phone"}, "value": _TEXT, "use": {"const": "old"},
                        "rank": {"type": "integer", "minimum": 1},
                    },
                }
            ),
            "gender": {"enum": ["male", "female", "other", "unknown"]},
            "birthDate": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
            "communication": _list(
                {
                    "type": "object",
                    "required": ["language"],
                    "properties": {"language": _CONCEPT, "preferred": {"type": "boolean"}},
                }
            ),
        },
    ),
    "Observation": _resource(
        "Observation",
        "id meta status code subject issued",
        {
            "meta": _meta(tag=_list({"type": "object"})),
            "status": {"enum": ["final", "corrected", "entered-in-error"]},
            "category": _list(_CONCEPT),
            "code": _CONCEPT,
            "subject": _REFERENCE,
            "effectiveDateTime": _TEXT,
            "effectivePeriod": _PERIOD,
            "issued": _TEXT,
            "performer": _list(_REFERENCE),
            "note": _list({"type": "object", "required": ["text"], "properties": {"text": _TEXT}}),
            "valueQuantity": _QUANTITY,
            "dataAbsentReason": _CONCEPT,
            "component": _list(
                {
                    "type": "object",
                    "required": ["code", "valueQuantity"],
                    "properties": {"code": _CONCEPT, "valueQuantity": _QUANTITY},
                }
            ),
        },
    ),
    "Communication": _resource(
        "Communication",
        "id meta status subject sent",
        {
            "meta": _meta(),
            "status": {"enum": ["completed", "entered-in-error"]},
            "medium": _list(_CONCEPT),
            "subject": _REFERENCE,
            "sent": _TEXT,
            "recipient": _list(_REFERENCE),
            "sender": {"type": "object", "properties": {"display": _TEXT}},
            "payload": _list(
                {
                    "type": "object",
                    "required": ["contentString"],
                    "properties": {"contentString": _TEXT},
                }
            ),
        },
    ),
}  # fmt: skip
_OUTCOME = _resource(
    "OperationOutcome",
    "issue",
    {
        "issue": _list(
            {
                "type": "object",
                "required": ["severity", "code", "diagnostics"],
                "properties": {"severity": {"const": "error"}, "code": _TEXT, "diagnostics": _TEXT},
            }
        )
    },
)
_ERRORS = {
    "400": "A parameter is unknown, missing or makes no sense.",
    "401": "No key came along, or none that opens anything.",
    "404": "There is none, or it is not of the key's clinic.",
    "406": "Only JSON is spoken.",
    "429": f"More than {MOST_A_MINUTE} requests in a minute, or too many wrong keys. See"
    " Retry-After.",
    "503": "The database does not answer. See Retry-After.",
}


def description(base: str) -> Schema:
    """Return the description of the API at ``base``."""
    paths: Schema = {
        "/metadata": {
            "get": {
                "operationId": "capabilities",
                "summary": "What the API can do, as a CapabilityStatement. Needs no key.",
                "security": [],
                "parameters": [_FORMAT],
                "responses": _responses("CapabilityStatement", "400 406"),
            }
        }
    }
    for kind in KINDS.values():
        paths[f"/{kind.name}"] = {"get": _search(kind)}
        paths[f"/{kind.name}/{{id}}"] = {"get": _read(kind)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Outreach",
            "version": VERSION,
            "description": "Patients, readings and calls of one clinic as FHIR R4, to read only.",
        },
        "servers": [{"url": base}],
        "security": [{"accessKey": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"accessKey": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                **_RESOURCES,
                **{f"{name}Bundle": _bundle(name) for name in _RESOURCES},
                "OperationOutcome": _OUTCOME,
                "CapabilityStatement": {
                    "type": "object",
                    "required": ["resourceType", "fhirVersion", "rest"],
                    "properties": {"resourceType": {"const": "CapabilityStatement"}},
                },
            },
        },
    }


def _search(kind: Kind) -> Schema:
    return {
        "operationId": f"search{kind.name}",
        "summary": kind.words,
        "parameters": [*map(_parameter, kind.parameters), _COUNT, _AFTER, _FORMAT],
        "responses": _responses(f"{kind.name}Bundle", "400 401 406 429 503"),
    }


def _read(kind: Kind) -> Schema:
    named = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{kind.ids}$"},
    }
    return {
        "operationId": f"read{kind.name}",
        "summary": f"One {kind.name}, by its id.",
        "parameters": [named, _FORMAT],
        "responses": _responses(kind.name, "400 401 404 406 429 503"),
    }


def _parameter(parameter: Parameter) -> Schema:
    single: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
    schema = {"type": "array", "items": single} if parameter.is_repeated else single
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.words,
        "schema": schema,
    }


def _query(name: str, words: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": words, "schema": schema}


_COUNT = _query(
    COUNT,
    "How many a page has at most.",
    {"type": "integer", "minimum": 1, "maximum": MOST_COUNT, "default": USUAL_COUNT},
)
_AFTER = _query(AFTER, "From the link to the next page; make none yourself.", _TEXT)
_FORMAT = _query(FORMAT, "JSON, as without it.", {"enum": list(FORMATS)})


def _responses(schema: str, errors: str) -> Schema:
    responses = {"200": _response("What was asked for.", schema)}
    for status in errors.split():
        responses[status] = _response(_ERRORS[status], "OperationOutcome")
    return responses


def _response(words: str, schema: str) -> Schema:
    body = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"description": words, "content": {MEDIA: body}}


def _bundle(name: str) -> Schema:
    entry = {
        "type": "object",
        "required": ["fullUrl", "resource", "search"],
        "properties": {
            "fullUrl": _TEXT,
            "resource": {"$ref": f"#/components/schemas/{name}"},
            "search": {"type": "object", "properties": {"mode": {"const": "match"}}},
        },
    }
    link = {
        "type": "object",
        "required": ["relation", "url"],
        "properties": {"relation": {"enum": ["self", "next"]}, "url": _TEXT},
    }
    return {
        "type": "object",
        "required": ["resourceType", "type", "link"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"const": "searchset"},
            "link": _list(link),
            "entry": _list(entry),
        },
    }
