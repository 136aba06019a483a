"""What other systems know our measures and readings by, in files that go out and come back."""

# The system of our own codes, which are the kinds of measures, for those without LOINC.
OWN_CODES = "urn:uuid:b8fb78c8-5258-4114-9fc2-3b41e6be76f8"

# Among them, as a tag: something about the body makes the value doubtful.
UNRELIABLE = "unreliable"


def name_outside(patient_ref: str, reading_id: int) -> str:
    """Return what a reading is called outside.

    ``reading_id`` is that of the first one, before any correction: who has the value replaces it.
    With the patient's reference the name is nobody else's, in other installations neither.
    """
    return f"reading-{patient_ref}-{reading_id}"


def reading_named(patient_ref: str, name: str) -> int | None:
    """Return the id of the patient's reading that is called ``name`` outside, if one may be."""
    digits = name.removeprefix(name_outside(patient_ref, 0).removesuffix("0"))
    is_ours = digits != name and digits.isascii() and digits.isdecimal()
    return int(digits) if is_ours else None
