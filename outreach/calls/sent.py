"""What the page of a call sends besides the answers: which tab, and how long Save waited."""

from datetime import datetime, timedelta

from werkzeug.datastructures import MultiDict

from outreach import sealing
from outreach.calls.drafts import Typed
from outreach.calls.rules import LONGEST_WAIT
from outreach.web import bounded

# What a form carries besides what somebody typed.
NOT_ANSWERS = frozenset(
    {"csrf_token", "planned_call_id", "form_key", "then", "version", "tab", "settles", "waited"}
    | {"low_card", "low_asked"}
)


def typed_from(form: MultiDict[str, str]) -> Typed:
    """Return what one tab has typed so far, as autosave sends it."""
    version = bounded.whole(form.get("version", ""))
    return Typed(
        answers={name: form.getlist(name) for name in form if name not in NOT_ANSWERS},
        version=-1 if version is None else version,
        tab=form.get("tab", "")[:40],
        settles=form.get("settles", "")[:40],
    )


def pressed_at(form: MultiDict[str, str], *, since: datetime | None, now: datetime) -> datetime:
    """Return when Save was pressed, as the page says by how long it waited for a connection.

    Never before the call began (``since``), in the future, or longer ago than LONGEST_WAIT.
    """
    seconds = min(bounded.whole(form.get("waited")) or 0, int(LONGEST_WAIT.total_seconds()))
    at = now - timedelta(seconds=seconds)
    return at if since is None else max(at, min(since, now))


def hash_of(form: MultiDict[str, str]) -> str:
    """Return a fingerprint of what was typed, to tell a resend from a change.

    Keyed: by another one, whoever has the file could try short notes until one fits.
    """
    typed = sorted((name, form.getlist(name)) for name in form if name not in NOT_ANSWERS)
    return sealing.keyed_hash(repr(typed), place="attempt.answers_hash")
