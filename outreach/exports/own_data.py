"""A patient's own copy of everything that is held of them: readable, and for machines.

What is written is walked from the tables, not listed: a new table that leads to a patient is in
the copy from its first day. A test holds what is left out against the tables.
"""

import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import typst
from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.orm import Session

from config import ROOT
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Actor
from outreach.exports.rules import paper_size
from outreach.orm import Model
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.reports.export import as_csv
from outreach.retention.rules.erasing import THROUGH
from outreach.web.csv_cells import Cell

# Copies of what is in the file already, marks of who has a page open, and proofs of the trail.
TEMPLATE = ROOT / "templates" / "exports" / "own_data.typ"
LEFT_OUT = frozenset(
    {
        "search_entry", "search_backlog", "call_lease", "audit_link", "latest_reading", "last_talk",
        "report_week", "directory_change",
    }
)  # fmt: skip
# Keys that tell nobody anything, and the caller's own telephone.
_NOT_TOLD = frozenset(
    {
        "clinic_id", "patient_id", "form_key", "press_key", "dedupe_key", "answers_hash", "tab",
        "version", "tail", "name_rank", "record_rank", "staff_number", "staff_sid", "patient_sid",
        "provider_id", "lease_until", "asking_key",
    }
)  # fmt: skip

Rows = list[dict[str, Any]]


def write_zip(
    session: Session,
    actor: Actor,
    asked: Mapping[str, Any],
    path: Path,
    *,
    now: datetime,
    tell: Callable[[int, int | None], None],
) -> int:
    """Write the copy for the patient whom ``asked`` names; return how many rows it has.

    Raises:
        NotFound, NotAllowed: as :func:`finding.to_manage`.
    """
    patient = finding.to_manage(session, actor, str(asked["patient"]))
    staff = {row.id: row.name for row in session.execute(select(StaffMember.id, StaffMember.name))}
    held: dict[str, Rows] = {}
    done = 0
    for table in tables():
        held[table.name] = _rows(session, table, patient.id, staff)
        done += len(held[table.name])
        tell(done, None)
    held = {name: rows for name, rows in held.items() if rows}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("read-me-first.pdf", _printed(patient, held, now=now))
        file.writestr("everything.json", json.dumps(held, ensure_ascii=False, indent=1))
        for name, rows in held.items():
            file.writestr(f"tables/{name}.csv", as_csv(tuple(rows[0]), map(_cells, rows)))
    return done


def tables() -> list[Table]:
    """Return every table that leads to a patient, those first that others lead to."""
    return [
        table
        for table in Model.metadata.sorted_tables
        if table.name not in LEFT_OUT
        and (table.name in {"patient", "inbound_text", *THROUGH} or "patient_id" in table.c)
    ]


def _rows(session: Session, table: Table, patient_id: int, staff: Mapping[int, str]) -> Rows:
    named = [column for column in table.c if column.name not in _NOT_TOLD]
    by_staff = {
        column.name
        for column in named
        if any(key.column.table.name == "staff_member" for key in column.foreign_keys)
    }
    order = list(table.primary_key.columns)
    query = select(*named).where(_of(table, patient_id)).order_by(*order)
    return [
        {
            name: staff.get(value) if name in by_staff else _plain(value)
            for name, value in row.items()
        }
        for row in session.execute(query).mappings()
    ]


def _of(table: Table, patient_id: int) -> ColumnElement[bool]:
    if table.name == "patient":
        return table.c.id == patient_id
    if table.name == "inbound_text":
        item = Model.metadata.tables["inbox_item"]
        return table.c.id.in_(select(item.c.inbound_id).where(item.c.patient_id == patient_id))
    if "patient_id" in table.c:
        return table.c.patient_id == patient_id
    column, leads_to = THROUGH[table.name]
    parent = Model.metadata.tables[leads_to]
    return table.c[column].in_(select(parent.c.id).where(_of(parent, patient_id)))


def _plain(value: Any) -> Any:
    """Return a value as JSON takes it: instants in UTC."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value.normalize()) if value else "0"
    if isinstance(value, dict | list | str | int | float | bool | None):
        return value
    return str(value)


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    return [
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        for value in row.values()
    ]


def _printed(patient: Patient, held: Mapping[str, Rows], *, now: datetime) -> bytes:
    data = {
        "title": f"What is held of {patient.full_name}",
        "paper": paper_size(patient.clinic.region),
        "footer": f"{patient.clinic.name} · {now:%Y-%m-%d %H:%M} UTC",
        "about": [
            f"{patient.clinic.name}, record {patient.record_number}, {now:%Y-%m-%d %H:%M} UTC.",
            "Times are in UTC. Fields without a value are left out here, not in the other files.",
        ],
        "sections": [
            {"name": _words(name), "rows": [_lines(row) for row in rows]}
            for name, rows in held.items()
        ],
    }
    inputs = {"data": json.dumps(data)}
    return typst.compile(TEMPLATE, format="pdf", sys_inputs=inputs)


def _lines(row: Mapping[str, Any]) -> list[list[str]]:
    told = zip(row, _cells(row), strict=True)
    return [[_words(name), str(value)] for name, value in told if value not in {None, "", "[]"}]


def _words(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ").capitalize()
