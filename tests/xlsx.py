"""Reading an Excel file as Excel would: the cells of a sheet, each with its type."""

import io
import zipfile
from datetime import date, datetime, timedelta
from xml.etree import ElementTree as ET

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

Cell = str | float | bool | date | None


def sheets(data: bytes) -> dict[str, list[list[Cell]]]:
    """Return the rows of every sheet by its name. A formula anywhere is an error."""
    file = zipfile.ZipFile(io.BytesIO(data))
    formats = _date_formats(file)
    book = _read(file, "xl/workbook.xml")
    targets = {
        each.get("Id"): each.get("Target") for each in _read(file, "xl/_rels/workbook.xml.rels")
    }
    found = {}
    for sheet in book.iter(f"{_MAIN}sheet"):
        tree = _read(file, f"xl/{targets[sheet.get(_RELATION)]}")
        assert not list(tree.iter(f"{_MAIN}f")), "a formula"
        assert not list(tree.iter(f"{_MAIN}hyperlink")), "a link"
        found[sheet.get("name", "")] = [_row(row, formats) for row in tree.iter(f"{_MAIN}row")]
    return found


def _row(row: ET.Element, formats: set[int]) -> list[Cell]:
    cells: list[Cell] = []
    for cell in row:
        at = _column(cell.get("r", "A1"))
        cells += [None] * (at - len(cells))
        cells.append(_cell(cell, formats))
    return cells


def _cell(cell: ET.Element, formats: set[int]) -> Cell:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v")
    if kind == "inlineStr":
        return "".join(each.text or "" for each in cell.iter(f"{_MAIN}t"))
    assert kind in {"n", "b"}, kind
    if value is None:
        return None
    if kind == "b":
        return value == "1"
    if int(cell.get("s", "0")) in formats:
        return (datetime(1899, 12, 30) + timedelta(days=float(value))).date()  # noqa: DTZ001
    return float(value)


def _date_formats(file: zipfile.ZipFile) -> set[int]:
    styles = _read(file, "xl/styles.xml")
    dates = {each.get("numFmtId") for each in styles.iter(f"{_MAIN}numFmt")}
    uses = next(styles.iter(f"{_MAIN}cellXfs"))
    return {at for at, each in enumerate(uses) if each.get("numFmtId") in dates}


def _column(reference: str) -> int:
    number = 0
    for letter in reference:
        if letter.isalpha():
            number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _read(file: zipfile.ZipFile, name: str) -> ET.Element:
    return ET.fromstring(file.read(name))  # noqa: S314 - our own file
