"""From the cells of a file to a patient, or to a reason why not. Pure."""

import enum


class FileKind(enum.StrEnum):
    """What a file holds, by its content."""

    CSV = "csv"
    FHIR_BUNDLE = "fhir bundle"
    FHIR_NDJSON = "fhir ndjson"
