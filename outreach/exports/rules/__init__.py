"""What a file may hold, who may have it, and how far it is. Pure."""

import enum
import re
from collections.abc import Collection
from datetime import timedelta

from outreach.accounts.rules import Role

LEASE = timedelta(minutes=2)
MOST_TRIES = 3
MOST_UNDER_WAY = 5  # of one person


class Content(enum.StrEnum):
    """What a file is made of."""

    PATIENTS = "patients"
    FHIR = "patients as FHIR"
    CALLS = "calls"
    ADHERENCE = "adherence"
    RESEARCH = "research"
    OWN_DATA = "own data"
    TO_MEASURE = "to measure"
    FOLLOW_UPS = "follow-ups"
    CONCERNS = "concerns"
    SECOND_LOOKS = "concerns to look at again"
    FLAGS = "flags to look at again"
    KEPT = "holds and requests"
    CLOSED_DAYS = "closed days"
    MEASURES = "measures"
    WELFARE = "welfare checks"
    QUEUE = "my queue"
    CALLERS = "callers"
    PANELS = "panels"
    PROPOSAL = "proposal"
    ON_CALL = "on call"
    STAFF = "staff accounts"
    SENT_TEXTS = "sent texts"
    DELIVERY = "delivery of texts"
    TEXTS_WAITING = "texts that wait"
    RETURNED = "returned calls"
    IMPORTS = "imports"
    AUDIT = "audit trail"
    EMERGENCIES = "emergency access"
    GROUPS = "adherence by group"
    WEEKS = "adherence by week"
    TEAM = "team"
    TEAM_GROUPS = "team by group"
    PULSE = "how the team is"
    DIALS = "dials until reached"
    DIAL_GROUPS = "dials until reached by group"
    TARGETS = "targets"
    BEHIND = "patients behind a figure"
    SINGLE_CALLS = "single calls"
    AROUND = "staying, texts, concerns"
    AROUND_GROUPS = "staying, texts, concerns by group"
    AROUND_BEHIND = "patients behind a figure around calls"
    TODAY = "calls of today"
    TODAY_CALLS = "calls of today one by one"
    SINGLE_CONCERNS = "single concerns"
    DAYS_ON_PHONE = "days on the telephone"
    OUTCOMES = "outcomes"
    OUTCOME_GROUPS = "outcomes by group"
    FOLLOWED = "followed patients"
    GLYCAEMIC = "glycaemic status"
    GLYCAEMIC_BEHIND = "patients of the glycaemic status"
    BOARD = "cohort board"
    COHORTS = "cohorts"
    BOARD_GROUPS = "cohort board by group"
    BOARD_BEHIND = "patients of the cohort board"

    @property
    def is_as_of(self) -> bool:
        """Whether it is of what was known as of a day, not of a stretch of days."""
        return self in _AS_OF

    @property
    def may_be_past(self) -> bool:
        """Whether it is of a stretch of days, and may tell what was known on an earlier one."""
        return self in _MAY_BE_PAST


_MAY_BE_PAST = frozenset(
    {
        Content.CALLS,
        Content.ADHERENCE,
        Content.GROUPS,
        Content.WEEKS,
        Content.TEAM,
        Content.TEAM_GROUPS,
        Content.TARGETS,
        Content.DIALS,
        Content.DIAL_GROUPS,
        Content.BEHIND,
        Content.SINGLE_CALLS,
        Content.AROUND,
        Content.AROUND_GROUPS,
        Content.AROUND_BEHIND,
        Content.SINGLE_CONCERNS,
        Content.DAYS_ON_PHONE,
    }
)
_AS_OF = frozenset(
    {
        Content.OUTCOMES,
        Content.OUTCOME_GROUPS,
        Content.FOLLOWED,
        Content.GLYCAEMIC,
        Content.GLYCAEMIC_BEHIND,
        Content.BOARD,
        Content.COHORTS,
        Content.BOARD_GROUPS,
        Content.BOARD_BEHIND,
    }
)


class Format(enum.StrEnum):
    """What a file is, by the ending of its name."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"
    ZIP = "zip"


class Progress(enum.StrEnum):
    """How far a file is. Only READY is offered."""

    WAITING = "waiting"
    WRITING = "writing"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


class Trouble(enum.StrEnum):
    """Why a file was not written."""

    NOT_ALLOWED = "not allowed"
    SEARCH_IS_OVER = "search is over"
    TOO_FEW = "too few patients"
    GAVE_UP = "gave up"


_TABLE = (Format.CSV, Format.XLSX)
_ON_PAPER = (Content.TODAY, Content.ADHERENCE, Content.AROUND, Content.OUTCOMES, Content.BOARD)
FORMATS = (
    dict.fromkeys(Content, _TABLE)
    | dict.fromkeys(_ON_PAPER, (*_TABLE, Format.PDF))
    | {
        Content.RESEARCH: (Format.ZIP,),
        Content.OWN_DATA: (Format.ZIP,),
        Content.FHIR: (Format.ZIP,),
    }
)
_MANAGING = frozenset({Role.MANAGER, Role.ADMINISTRATOR})
_SAFETY = frozenset({Role.NURSE, Role.MANAGER})
# Who may take a file of it away: those for whom its page is.
TAKERS = dict.fromkeys(Content, _MANAGING) | {
    Content.RESEARCH: frozenset({Role.ADMINISTRATOR}),
    Content.TO_MEASURE: _MANAGING | {Role.NURSE},
    Content.CONCERNS: _SAFETY,
    Content.MEASURES: _MANAGING | {Role.NURSE},
    Content.SECOND_LOOKS: _SAFETY,
    Content.FLAGS: _SAFETY,
    Content.WELFARE: _SAFETY,
    Content.QUEUE: frozenset({Role.CALLER}),
    Content.PULSE: frozenset({Role.MANAGER}),
    Content.TEXTS_WAITING: _MANAGING | {Role.CALLER, Role.NURSE},
    Content.AUDIT: _MANAGING | {Role.AUDITOR},
    Content.EMERGENCIES: _MANAGING | {Role.AUDITOR},
}
# What is true of one day only is not kept for longer: whose patients one has by then may differ.
LASTS = dict.fromkeys((Content.QUEUE, Content.TEXTS_WAITING), timedelta(hours=12))


# Countries that print on US letter; all others print on A4. Source: Unicode CLDR, paperSize.
_ON_LETTER = frozenset("BZ CA CL CO CR GT MX NI PA PH PR SV US VE".split())


def paper_size(country: str) -> str:
    """Return the size of paper of a country (ISO 3166), as typst names it."""
    return "us-letter" if country in _ON_LETTER else "a4"


def may_take(roles: Collection[Role], content: Content) -> bool:
    """Say whether somebody with ``roles`` may take ``content`` away as a file."""
    return bool(TAKERS[content].intersection(roles))


def download_name(content: Content, about: str, ending: Format) -> str:
    """Return the name of a file at its reader's: letters, digits and dashes only."""
    parts = [re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in (content.value, about)]
    return f"{'-'.join(part for part in parts if part)}.{ending.value}"
