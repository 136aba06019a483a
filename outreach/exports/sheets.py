"""Tables as CSV and XLSX, row by row: a file of any length takes little memory."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from outreach.exports.rules.cells import Table, Value, Watch, as_text
from outreach.web.csv_cells import safe

BOM = "\ufeff"  # Excel takes a file without it for the local eight-bit encoding.
WATCH_EVERY = 500
MOST_XLSX_ROWS = 1_048_575  # of one sheet, beside its head
_WIDEST = 40


def write_csv(table: Table, path: Path, watch: Watch) -> int:
    """Write ``table`` to ``path`` in UTF-8; return how many rows."""
    done = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(BOM)
        writer = csv.writer(file)
        writer.writerow([column.name for column in table.columns])
        for row in table.rows:
            writer.writerow([safe(as_text(value)) for value in row])
            done += 1
            if done % WATCH_EVERY == 0:
                watch(done)
    watch(done)
    return done


def write_xlsx(table: Table, path: Path, watch: Watch) -> int:
    """Write ``table`` to ``path``, with a sheet of definitions and filters; return how many rows.

    Words are words whatever they begin with: nothing in a cell is a formula or a link. Where
    there are more rows than a sheet takes, another sheet goes on.
    """
    done = 0
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
        "tmpdir": str(path.parent),
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        looks = _Looks(book)
        sheet = looks.new_sheet("Data", table)
        at = 0
        for row in table.rows:
            if at == MOST_XLSX_ROWS:
                sheet, at = looks.new_sheet(f"Data {done // MOST_XLSX_ROWS + 1}", table), 0
            at += 1
            looks.write_row(sheet, at, row)
            done += 1
            if done % WATCH_EVERY == 0:
                watch(done)
        looks.write_definitions(table)
    watch(done)
    return done


class _Looks:
    """One workbook with its formats."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})

    def new_sheet(self, name: str, table: Table) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        for at, column in enumerate(table.columns):
            sheet.set_column(at, at, min(max(len(column.name) + 2, 12), _WIDEST))
        for at, column in enumerate(table.columns):
            sheet.write_string(0, at, column.name, self._head)
        return sheet

    def write_row(self, sheet: Any, at: int, row: Sequence[Value]) -> None:
        for place, value in enumerate(row):
            self._write(sheet, at, place, value)

    def _write(self, sheet: Any, at: int, place: int, value: Value) -> None:
        match value:
            case None:
                pass  # a missing value is an empty cell
            case bool():
                sheet.write_boolean(at, place, value)
            case datetime():
                sheet.write_datetime(at, place, value.replace(tzinfo=None), self._instant)
            case date():
                sheet.write_datetime(at, place, value, self._day)
            case int() | float() | Decimal():
                sheet.write_number(at, place, value)
            case _words:
                sheet.write_string(at, place, value)

    def write_definitions(self, table: Table) -> None:
        sheet = self._book.add_worksheet("Definitions")
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 90)
        lines: Iterable[tuple[str, str]] = [
            (table.title, ""),
            *table.about,
            ("", ""),
            ("Column", "What it means"),
            *((column.name, column.meaning) for column in table.columns),
        ]
        for at, (what, words) in enumerate(lines):
            is_head = at == 0 or what == "Column"
            sheet.write_string(at, 0, what, self._head if is_head else self._wrapped)
            sheet.write_string(at, 1, words, self._head if is_head else self._wrapped)
