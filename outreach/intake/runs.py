"""Past imports, within somebody's scope."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, null, select, update
from sqlalchemy.orm import Session, defer

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.errors import NotFound
from outreach.intake.models import ImportRun
from outreach.intake.rules import Remark
from outreach.web.csv_cells import Cell, safe

MOST_SHOWN = 20
# A file that was refused in parts is mended within days, or with the next month's. What it said
# of single rows quotes cells of patients whom the clinic may not even have: no longer than that.
REMARKS_KEPT_FOR = timedelta(days=35)


class NoSuchRun(NotFound):
    """No import of that number in the actor's scope."""


def recent(
    session: Session, scope: Scope, *, most: int | None = MOST_SHOWN
) -> Sequence[Row[ImportRun, Clinic, str]]:
    """Return the newest imports with their clinics and who did them (None: a command).

    Without what each said of single rows. ``most`` None: all of them.
    """
    return session.execute(
        select(ImportRun, Clinic, StaffMember.name)
        .join(Clinic, Clinic.id == ImportRun.clinic_id)
        .outerjoin(StaffMember, StaffMember.id == ImportRun.by_staff_id)
        .where(visible_clinics(scope, ImportRun.clinic_id))
        .order_by(ImportRun.at.desc(), ImportRun.id.desc())
        .options(defer(ImportRun.problems, raiseload=True))
        .limit(most)
    ).all()


def one(session: Session, scope: Scope, run_id: int) -> tuple[ImportRun, Clinic]:
    """Return an import and its clinic, or raise NoSuchRun."""
    found = session.execute(
        select(ImportRun, Clinic)
        .join(Clinic, Clinic.id == ImportRun.clinic_id)
        .where(ImportRun.id == run_id, visible_clinics(scope, ImportRun.clinic_id))
    ).one_or_none()
    if found is None:
        raise NoSuchRun("There is no such import.")
    return found[0], found[1]


def forget_remarks(session: Session, *, now: datetime) -> int:
    """Empty the remarks of imports of REMARKS_KEPT_FOR ago, counts stay; return of how many.

    Does not commit.
    """
    emptied = session.scalars(
        update(ImportRun)
        .where(ImportRun.problems.is_not(None), ImportRun.at <= now - REMARKS_KEPT_FOR)
        .values(problems=null())
        .returning(ImportRun.id)
    ).all()
    return len(emptied)


def as_table(remarks: Sequence[Remark]) -> Iterator[str]:
    """Yield remarks as lines of CSV, safe to open in a spreadsheet."""
    for row in (("file", "line", "field", "reason"), *map(_cells, remarks)):
        line = io.StringIO()
        csv.writer(line).writerow(row)
        yield line.getvalue()


def _cells(remark: Remark) -> list[Cell]:
    return [safe(cell) for cell in (remark.file, remark.line, remark.field, remark.reason)]
