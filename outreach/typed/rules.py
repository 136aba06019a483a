"""What is kept of a form that was not sent, and for how long. Pure."""

import json
from datetime import timedelta

from outreach.errors import RuleBroken

# Over a weekend; what was wanted after that is typed anew.
KEPT_FOR = timedelta(days=3)
LONGEST_PLACE = 300
LONGEST = 100_000
MOST_FIELDS = 200
MOST_FORMS = 50  # of one person: who walks away has a few open, and nobody fills the disk
_SECRET = ("password", "proof", "code", "csrf_token")


class NotKept(RuleBroken):
    """It is no form of ours, or too much."""


def fields_of(written: str) -> list[list[str]]:
    """Return the fields of a form, name and value each, as a page writes them.

    Raises:
        NotKept: they are no such list, too many, too long, or hold a secret.
    """
    try:
        found = json.loads(written) if len(written) <= LONGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) > MOST_FIELDS or not all(map(_is_field, found)):
        raise NotKept("This can't be kept.")
    return found


def is_place(path: str) -> bool:
    """Say whether ``path`` is one that a form of ours can be sent to."""
    return path.startswith("/") and not path.startswith("//") and len(path) <= LONGEST_PLACE


def _is_field(each: object) -> bool:
    if not (isinstance(each, list) and len(each) == 2):  # noqa: PLR2004 - a name and a value
        return False
    name, value = each
    is_text = isinstance(name, str) and isinstance(value, str)
    return is_text and not any(word in name for word in _SECRET)
