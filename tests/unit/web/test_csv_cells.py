"""Cells that no spreadsheet runs."""

import pytest

from outreach.web.csv_cells import Cell, safe


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", " ="])
def test_text_that_a_spreadsheet_would_run_begins_with_a_quote(start: str) -> None:
    assert safe(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("cell", ["Ana - Maria", "O'Neil", "", 5, -5, 0.5, None])
def test_other_cells_stay_as_they_are(cell: Cell) -> None:
    assert safe(cell) == cell
