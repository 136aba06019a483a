"""Words for filters, orders and columns of the list, in the reader's language."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.patient_list.rules import (
    NOBODY,
    Column,
    Filters,
    Numbers,
    Sort,
    Standing,
    Stratum,
)
from outreach.programmes import labels as programmes
from outreach.programmes.rules import EnrolmentStatus, Phase
from outreach.web.template_filters import full_day, language_name, short_number

STANDINGS: dict[Standing, LazyString] = {
    Standing.OPEN: _l("in the programme"),
    **{Standing(status.value): programmes.STATUSES[status] for status in EnrolmentStatus},
    Standing.NEVER: _l("never enrolled"),
}

STRATA: dict[Stratum, LazyString] = {
    Stratum.MINIMAL: _l("minimal, 0 to 4"),
    Stratum.MILD: _l("mild, 5 to 9"),
    Stratum.MODERATE: _l("moderate, 10 to 14"),
    Stratum.MODERATELY_SEVERE: _l("moderately severe, 15 to 19"),
    Stratum.SEVERE: _l("severe, 20 to 27"),
    Stratum.UNMEASURED: _l("not measured"),
}

NUMBERS: dict[Numbers, LazyString] = {
    Numbers.ONE_BROKEN: _l("one doesn't work"),
    Numbers.NONE_WORKS: _l("none works"),
}

SORTS: dict[Sort, LazyString] = {
    Sort.NAME: _l("Family name"),
    Sort.RECORD: _l("Record number"),
    Sort.HBA1C: _l("HbA1c, highest first"),
    Sort.REACHED: _l("Longest not reached"),
    Sort.NEXT_CALL: _l("Next call"),
    Sort.ENROLLED: _l("Latest to start"),
}

COLUMNS: dict[Column, LazyString] = {
    Column.AGE: _l("Age"),
    Column.CLINIC: _l("Clinic"),
    Column.LANGUAGE: _l("Language"),
    Column.CALLER: _l("Caller"),
    Column.STANDING: _l("Programme"),
    Column.PHASE: _l("Phase"),
    Column.ENROLLED: _l("First day"),
    Column.NEXT_CALL: _l("Next call, their time"),
    Column.REACHED: _l("Last talked"),
    Column.HBA1C: _l("HbA1c"),
    Column.PHQ9: _l("PHQ-9"),
    Column.CONCERN: _l("Open concern"),
    Column.NUMBER: _l("Numbers"),
    Column.TEXTS: _l("Texts"),
}

# By what a press on a column's head sorts.
SORT_OF = {
    Column.NEXT_CALL: Sort.NEXT_CALL,
    Column.REACHED: Sort.REACHED,
    Column.HBA1C: Sort.HBA1C,
    Column.ENROLLED: Sort.ENROLLED,
}


def phase(found: Phase | None) -> str:
    """Return a phase's own name, or else its weeks: 'weeks 2 to 4'."""
    return (found.name or programmes.weeks(found)) if found else "–"


def chips(
    filters: Filters, *, clinics: dict[str, str], callers: dict[str, str], phases: dict[str, str]
) -> list[tuple[str, str]]:
    """Return (name, words) of every filter that is set: ('silent_days', 'Not reached ...')."""
    return [
        (name, _chip(name, filters, clinics=clinics, callers=callers, phases=phases))
        for name in filters.chosen
    ]


def _chip(
    name: str,
    filters: Filters,
    *,
    clinics: dict[str, str],
    callers: dict[str, str],
    phases: dict[str, str],
) -> str:
    value = getattr(filters, name)
    match name:
        case "clinic":
            return clinics.get(value, value)
        case "caller":
            words = _("nobody yet") if value == NOBODY else callers.get(value, _("somebody else"))
            return str(_("Caller: %(who)s", who=words))
        case "standing":
            return str(_("Programme: %(how)s", how=STANDINGS[value]))
        case "phase":
            return str(_("Phase: %(name)s", name=phases.get(value, value)))
        case "language":
            return str(_("Speaks %(name)s", name=language_name(value)))
        case "phq9":
            return str(_("PHQ-9: %(band)s", band=STRATA[value]))
        case "number":
            return str(_("Numbers: %(how)s", how=NUMBERS[value]))
        case _other:
            return _measured_chip(name, value)


def _measured_chip(name: str, value: object) -> str:
    match name, value:
        case "hba1c_over", number:
            return str(_("HbA1c over %(n)s %%", n=short_number(number)))  # type: ignore[arg-type]
        case "hba1c_under", number:
            return str(_("HbA1c under %(n)s %%", n=short_number(number)))  # type: ignore[arg-type]
        case "silent_days", days:
            return str(_("Not reached for %(n)s days", n=days))
        case "enrolled_from", day:
            return str(_("First day from %(day)s", day=full_day(day)))  # type: ignore[arg-type]
        case "enrolled_until", day:
            return str(_("First day until %(day)s", day=full_day(day)))  # type: ignore[arg-type]
        case "due", _yes:
            return str(_("Measure due"))
        case "concern", _yes:
            return str(_("Open concern"))
        case _rest:
            return str(_("Texts stopped"))
