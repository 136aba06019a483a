"""What may need a manager today, in words: page and paper say the same."""

from collections.abc import Callable, Iterator, Mapping

from flask_babel import gettext as _
from flask_babel import ngettext

from outreach.reports.today import Today

WORDS: Mapping[str, Callable[[int], str]] = {
    "nobody": lambda _n: _("Nobody is on call now: no call can start"),
    "held": lambda _n: _("Texts wait: a backup was put back"),
    "gaps": lambda n: ngettext(
        "gap in who is on call, in the coming 7 days",
        "gaps in who is on call, in the coming 7 days",
        n,
    ),
    "concerns": lambda n: ngettext(
        "concern waits for a nurse",
        "concerns wait for a nurse",
        n,
    ),
    "closing": lambda n: ngettext(
        "call has its last day today",
        "calls have their last day today",
        n,
    ),
    "waiting": lambda n: ngettext(
        "patient waits for a caller",
        "patients wait for a caller",
        n,
    ),
    "uncovered": lambda n: ngettext(
        "patient has nobody to call while their caller is away",
        "patients have nobody to call while their caller is away",
        n,
    ),
    "to_check": lambda n: ngettext(
        "patient isn't reached any more: check numbers and times",
        "patients aren't reached any more: check numbers and times",
        n,
    ),
    "to_welfare": lambda n: ngettext(
        "patient is silent for long: somebody makes sure that they are well",
        "patients are silent for long: somebody makes sure that they are well",
        n,
    ),
    "numberless": lambda n: ngettext(
        "patient has no working number",
        "patients have no working number",
        n,
    ),
    "texts": lambda n: ngettext(
        "text in the last 7 days did not arrive, or we don't know",
        "texts in the last 7 days did not arrive, or we don't know",
        n,
    ),
    "letters": lambda n: ngettext(
        "e-mail to staff in the last 7 days did not go out, or we don't know",
        "e-mails to staff in the last 7 days did not go out, or we don't know",
        n,
    ),
    "imports": lambda n: ngettext(
        "record of the last import was not taken in",
        "records of the last import were not taken in",
        n,
    ),
    "taken_on": lambda n: ngettext(
        "concern was taken on and is not closed yet",
        "concerns were taken on and are not closed yet",
        n,
    ),
}


def needs_of(found: Today) -> Iterator[tuple[int, str]]:
    """Yield how many there are of each thing to do, and what it is, in the order of the page.

    Those that are one thing, not so many, have 0.
    """
    counts = {
        "gaps": len(found.net.gaps),
        "concerns": found.concerns.waiting,
        "closing": found.closing.count,
        "waiting": found.waiting,
        "uncovered": found.uncovered.count,
        "to_check": found.to_check,
        "to_welfare": found.to_welfare,
        "numberless": found.numberless.count,
        "texts": found.texts,
        "letters": found.letters,
        "imports": sum(each.refused for each in found.imports),
        "taken_on": found.concerns.taken_on,
    }
    if not found.net.is_enough:
        yield 0, WORDS["nobody"](0)
    if found.texts_held_since:
        yield 0, WORDS["held"](0)
    yield from ((count, WORDS[name](count)) for name, count in counts.items() if count)
