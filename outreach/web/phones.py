"""Phone numbers as people write them."""

import phonenumbers


def as_written(e164: str) -> str:
    """Return '(512) 555-0100' for a number at home, '+52 55 1234 5678' for one elsewhere."""
    parsed = phonenumbers.parse(e164)
    style = phonenumbers.PhoneNumberFormat
    chosen = style.NATIONAL if parsed.country_code == 1 else style.INTERNATIONAL
    return phonenumbers.format_number(parsed, chosen)


def as_rung(number: str) -> str:
    """Return who rings as people write it; what is no number ('anonymous') as it came."""
    try:
        return as_written(number)
    except phonenumbers.NumberParseException:
        return number
