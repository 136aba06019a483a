"""Phone numbers as people write them."""

import phonenumbers


def as_written(e164: str) -> str:
    """Return '(512) 555-0100' for a number at home, '+52 55 1234 5678' for one elsewhere.

    What is no number comes back as it is: 'anonymous' rings, and one may be unreadable.
    """
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    style = phonenumbers.PhoneNumberFormat
    chosen = style.NATIONAL if parsed.country_code == 1 else style.INTERNATIONAL
    return phonenumbers.format_number(parsed, chosen)
