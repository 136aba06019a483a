"""What reports say of the team: its months, and by which groups its figures are told."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from outreach.reports.definitions import Definition


def about_pulse(clinic_name: str) -> str:
    """Return whose answers the months of a clinic's team are."""
    return _(
        "Callers of %(clinic)s who answered the monthly question that they are burning out."
        " Months that are over.",
        clinic=clinic_name,
    )


def burning_out(burnout_from: int) -> Definition:
    """Return what the monthly question to callers tells; it counts from so many of five on."""
    words = _l(
        "One question a month to each caller, by their own definition of burnout (single item of "
        "the Physician Work Life Study): those who chose answer %(n)s of five or a later one, of "
        "those who answered. Asked: who called for the clinic in the month, each at the first "
        "clinic they call for, and without its managers. Nothing is shown of a month that is not "
        "over or in which too few answered, and nothing of anybody. Where all are burning out, or "
        "all but one, that is told as one: it would tell of each of them.",
        n=burnout_from,
    )
    return Definition(_l("Burning out"), words, "def-pulse")
