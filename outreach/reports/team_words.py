"""What reports say of the team: its months, and by which groups its figures are told."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from outreach.reports.breakdown import Dimension
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


def about_groups(dimension: Dimension) -> str:
    """Return how the team is told by such groups, or why it isn't; "" by caller."""
    match dimension:
        case Dimension.CALLER:
            return ""
        case Dimension.WEEK:
            return _(
                "Days of each caller counted once each. Patients of a caller, days in a row and"
                " the team's months don't fit into a week: they stand above and below."
            )
        case Dimension.CLINIC:
            return _(
                "Days of each caller counted once each. The last month is told of clinics that"
                " you manage, where enough answered."
            )
        case Dimension.REGION:
            return _(
                "Days of each caller counted once each, at each clinic they call for. How the"
                " team is, month by month, is told of one clinic at a time: less what the others"
                " say, a sum would tell of few."
            )
    return _(
        "The team is told by caller, week, clinic and region. A caller's day is shared by"
        " patients of every kind, so these groups have no team of their own; their dials stand"
        " above, and their concerns under Staying, texts, concerns."
    )
