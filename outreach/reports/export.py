"""Reports as files that a spreadsheet opens without running anything in them."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from outreach.accounts.models import Clinic
from outreach.reports.adherence import Line, Report
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import figures

BOM = "\ufeff"  # Excel takes a file without it for the local eight-bit encoding.
# A cell that begins so is a formula to some spreadsheet; the last four are full-width.
# Source: OWASP, CSV Injection.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
EVERYBODY = "All callers"
NOBODY = "No caller"
HEADER = (
    "clinic",
    "caller",
    "measure",
    "numerator",
    "denominator",
    "value",
    "period_from",
    "period_until",
)

Cell = str | int | float | None


def adherence_rows(clinic: Clinic, period: Period, report: Report) -> Iterator[Sequence[Cell]]:
    """Yield one row for each caller and measure, the whole clinic first."""
    for line in (Line(0, EVERYBODY, report.total), *report.lines):
        name = NOBODY if line.caller_id is None else line.name
        for figure in figures(line.tally):
            yield (
                clinic.name,
                name,
                figure.measure.value,
                figure.numerator,
                figure.denominator,
                None if figure.value is None else round(figure.value, 4),
                period.from_on.isoformat(),
                period.until_on.isoformat(),
            )


def adherence_name(clinic: Clinic, period: Period) -> str:
    """Return the name of the file: letters, digits and dashes only."""
    code = re.sub(r"[^A-Za-z0-9]+", "-", clinic.code).strip("-")
    return f"adherence-{code}-{period.from_on}-{period.until_on}.csv"


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a table as CSV in UTF-8 with a byte order mark."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return (BOM + written.getvalue()).encode()


def safe(cell: Cell) -> Cell:
    """Return ``cell`` so that no spreadsheet takes its text for a formula."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(DANGEROUS):
        return "'" + cell
    return cell
