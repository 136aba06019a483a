"""What each page declares, held against the table of who may open which."""

from collections.abc import Iterator

from flask import Flask

from outreach.accounts.rules import Role
from tests.integration.access.table import ALLOWED, Roles


def test_each_page_is_open_to_those_whom_the_table_names(app: Flask) -> None:
    assert list(differences(app)) == []


def test_the_table_names_no_page_that_is_gone(app: Flask) -> None:
    assert set(ALLOWED) - set(app.view_functions) == set()


def differences(app: Flask) -> Iterator[str]:
    for endpoint, view in sorted(app.view_functions.items()):
        if endpoint not in ALLOWED:
            yield f"{endpoint} is not in the table"
            continue
        declared: Roles | None = getattr(view, "allowed_roles", frozenset())
        if declared != ALLOWED[endpoint]:
            yield f"{endpoint} is open to {named(declared)}, not to {named(ALLOWED[endpoint])}"


def named(roles: Roles | None) -> str:
    return "all" if roles is None else ", ".join(role for role in Role if role in roles) or "nobody"
