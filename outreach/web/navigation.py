"""The side navigation: one list, shown to those who may open each page."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class Item:
    """One entry: the page it opens, its words and its icon."""

    endpoint: str
    label: LazyString
    icon: str


ITEMS = (
    Item("calls.queue", _l("My queue"), "telephone"),
    Item("reports.today", _l("Today"), "house"),
    Item("reports.adherence", _l("Adherence"), "bar-chart-line"),
    Item("outcomes.page", _l("Outcomes"), "clipboard2-pulse"),
    Item("cohort.board", _l("Cohort board"), "people"),
    Item("chart.follow_ups", _l("Follow-ups"), "telephone-x"),
    Item("concerns.open_concerns", _l("Concerns"), "heart-pulse"),
    Item("welfare.board", _l("Welfare checks"), "heart"),
    Item("rota.on_call", _l("On call"), "shield-exclamation"),
    Item("patient_list.show", _l("Patients"), "people"),
    Item("due.list_due", _l("To measure"), "clipboard2-pulse"),
    Item("assessing.find", _l("Measure"), "clipboard2-pulse"),
    Item("panels.assign", _l("Panels"), "person-lines-fill"),
    Item("callers.index", _l("Callers"), "person"),
    Item("callers.mine", _l("My hours"), "calendar-event"),
    Item("pulse.mine", _l("How are you?"), "heart"),
    Item("staff.index", _l("Staff"), "person-plus"),
    Item("access_keys.index", _l("API access"), "box-arrow-right"),
    Item("oversight.trail_page", _l("Audit"), "search"),
    Item("oversight.emergency_page", _l("Emergency access"), "exclamation-octagon"),
    Item("retention.clinic", _l("Keeping of data"), "clock"),
    Item("phoning.mine", _l("My phone"), "telephone-outbound"),
    Item("inbox.review", _l("Messages"), "chat-dots"),
    Item("phoning.returned", _l("Returned calls"), "arrow-repeat"),
    Item("protocols.programmes", _l("Programmes"), "journal-text"),
    Item("calling_hours.clinic_hours", _l("Calling hours"), "clock"),
    Item("instruments.permissions", _l("Questionnaires"), "gear"),
    Item("intake.upload", _l("Import"), "box-arrow-in-down"),
    Item("messaging.outbox", _l("Sent texts"), "arrow-right"),
    Item("exports.mine", _l("My files"), "download"),
    Item("wordings.index", _l("What texts say"), "pencil"),
)
