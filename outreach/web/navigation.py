"""The side navigation: one list in sections, shown to those who may open each page."""

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class Item:
    """One entry: the page it opens, its words and its icon."""

    endpoint: str
    label: LazyString
    icon: str


@dataclass(frozen=True)
class Section:
    """Entries that belong together; the words are shown to those who have many entries."""

    label: LazyString
    items: tuple[Item, ...]


SECTIONS = (
    Section(
        _l("Every day"),
        (
            Item("calls.queue", _l("My queue"), "telephone"),
            Item("reports.today", _l("Today"), "house"),
            Item("concerns.open_concerns", _l("Concerns"), "heart-pulse"),
            Item("welfare.board", _l("Welfare checks"), "heart"),
            Item("chart.follow_ups", _l("Follow-ups"), "telephone-x"),
            Item("inbox.review", _l("Messages"), "chat-dots"),
            Item("phoning.returned", _l("Returned calls"), "arrow-repeat"),
            Item("patient_list.show", _l("Patients"), "people"),
            Item("due.list_due", _l("To measure"), "clipboard2-pulse"),
            Item("assessing.find", _l("Measure"), "clipboard2-pulse"),
        ),
    ),
    Section(
        _l("Figures"),
        (
            Item("reports.adherence", _l("Adherence"), "bar-chart-line"),
            Item("outcomes.page", _l("Outcomes"), "check-circle"),
            Item("cohort.board", _l("Cohort board"), "calendar-event"),
        ),
    ),
    Section(
        _l("Team"),
        (
            Item("panels.assign", _l("Panels"), "person-lines-fill"),
            Item("callers.index", _l("Callers"), "person"),
            Item("rota.on_call", _l("On call"), "shield-exclamation"),
            Item("staff.index", _l("Staff"), "person-plus"),
        ),
    ),
    Section(
        _l("Setting up"),
        (
            Item("protocols.programmes", _l("Programmes"), "journal-text"),
            Item("calling_hours.clinic_hours", _l("Calling hours"), "sun"),
            Item("instruments.permissions", _l("Questionnaires"), "list"),
            Item("wordings.index", _l("What texts say"), "pencil"),
            Item("messaging.outbox", _l("Sent texts"), "arrow-right"),
            Item("intake.upload", _l("Import"), "box-arrow-in-down"),
        ),
    ),
    Section(
        _l("Records"),
        (
            Item("oversight.trail_page", _l("Audit"), "search"),
            Item("oversight.emergency_page", _l("Emergency access"), "exclamation-octagon"),
            Item("retention.clinic", _l("Keeping of data"), "clock"),
            Item("access_keys.index", _l("API access"), "gear"),
        ),
    ),
    Section(
        _l("My own"),
        (
            Item("callers.mine", _l("My hours"), "calendar-event"),
            Item("pulse.mine", _l("How are you?"), "heart"),
            Item("phoning.mine", _l("My phone"), "telephone-outbound"),
            Item("exports.mine", _l("My files"), "download"),
        ),
    ),
)

MANY = 12  # entries; from here on, sections are told apart by their words


def shown(may_open: Callable[[str], bool]) -> list[Section]:
    """Return the sections of whoever may open these pages, without what is closed to them."""
    opened = [
        Section(section.label, tuple(item for item in section.items if may_open(item.endpoint)))
        for section in SECTIONS
    ]
    return [section for section in opened if section.items]


def is_long(sections: list[Section]) -> bool:
    """Whether there are so many entries that sections need their words."""
    return sum(len(section.items) for section in sections) > MANY
