"""Cells of tables that a spreadsheet opens without running anything in them."""

# A cell that begins so is a formula to some spreadsheet; the last four are full-width.
# Source: OWASP, CSV Injection.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Cell = str | int | float | None


def safe(cell: Cell) -> Cell:
    """Return ``cell`` so that no spreadsheet takes its text for a formula."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(DANGEROUS):
        return "'" + cell
    return cell
