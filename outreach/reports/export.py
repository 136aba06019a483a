"""Reports as files that a spreadsheet opens without running anything in them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from outreach.accounts.models import Clinic
from outreach.reports.adherence import Line, Report
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import figures
from outreach.web.csv_cells import Cell, safe

BOM = "\ufeff"  # Excel takes a file without it for the local eight-bit encoding.
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
    "as_of",
)


def adherence_rows(
    clinic: Clinic, period: Period, report: Report, *, as_of: date | None = None
) -> Iterator[Sequence[Cell | date]]:
    """Yield one row for each caller and measure, the whole clinic first.

    ``as_of``: the earlier day as of whose end it was asked; empty: what was known when asked.
    With which dial patients are reached is known for the clinic, not by caller.
    """
    days = (period.from_on, period.until_on, as_of)
    for line in (Line(0, EVERYBODY, report.total), *report.lines):
        name = NOBODY if line.caller_id is None else line.name
        for figure in figures(line.tally):
            value = None if figure.value is None else round(figure.value, 4)
            measured = (figure.measure.value, figure.numerator, figure.denominator, value)
            yield (clinic.name, name, *measured, *days)
    calls = report.by_dial.calls
    for dial, reached in report.by_dial.shares:
        value = round(reached / calls, 4) if calls else None
        yield (clinic.name, EVERYBODY, f"reached by dial {dial}", reached, calls, value, *days)


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a table as CSV in UTF-8 with a byte order mark."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return (BOM + written.getvalue()).encode()
