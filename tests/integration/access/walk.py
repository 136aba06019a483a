"""Knocking at every route that asks who one is, and what came of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from outreach.accounts.models import StaffMember
from tests.conftest import sign_in
from tests.integration.access.house import NAMES_NOBODY
from tests.integration.access.table import ALLOWED, Roles

# Asked after all others, in this order: what they end is knocked at elsewhere too.
LAST = (
    "panels.apply", "panels.drop", "intake.carry_out", "intake.discard", "staff.end_role",
    "staff.close", "staff.open_again", "security.end_session", "security.end_other_sessions",
)  # fmt: skip
TURNED_AWAY = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


@dataclass(frozen=True)
class Route:
    """One way to ask for one page. ``names``: the records that its path names."""

    endpoint: str
    method: str
    path: str
    names: frozenset[str]

    def __str__(self) -> str:
        return f"{self.endpoint} ({self.method} {self.path})"

    @property
    def allowed(self) -> Roles:
        """Who may open it."""
        return ALLOWED[self.endpoint] or frozenset()


def routes(app: Flask, arguments: Mapping[str, object]) -> list[Route]:
    """Return every route that asks who one is; readings before changes, endings last."""
    found = []
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if ALLOWED[rule.endpoint] is None:
            continue
        path = adapter.build(rule.endpoint, _values(rule, arguments))
        names = frozenset(rule.arguments) - NAMES_NOBODY.keys()
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found += [Route(rule.endpoint, method, path, names) for method in methods]
    return sorted(found, key=_when)


def _values(rule: Rule, arguments: Mapping[str, object]) -> dict[str, object]:
    package = rule.endpoint.split(".")[0]
    return {name: arguments.get(f"{package}.{name}", arguments[name]) for name in rule.arguments}


def _when(route: Route) -> tuple[int, bool, str, str]:
    last = LAST.index(route.endpoint) + 1 if route.endpoint in LAST else 0
    return last, route.method != "GET", route.endpoint, route.method


def knocks(browser: FlaskClient, asked: Iterable[Route]) -> Iterator[tuple[Route, TestResponse]]:
    """Yield what each route answers to who is signed in and sends nothing along."""
    for route in asked:
        answer = browser.open(route.path, method=route.method)
        yield route, answer
        answer.close()


def signed_in(app: Flask, person: StaffMember) -> FlaskClient:
    """Return a browser in which ``person`` is signed in."""
    client = app.test_client()
    sign_in(client, person)
    return client


def is_turned_away(answer: TestResponse) -> bool:
    """Say whether nobody came in: refused, not there, or asked who one is."""
    asks_who = answer.location is not None and "/sign-in" in answer.location
    return answer.status_code in TURNED_AWAY or asks_who


def knows_of(answer: TestResponse, secrets: Iterable[str]) -> list[str]:
    """Return which of ``secrets`` an answer tells."""
    return [secret for secret in secrets if secret in answer.text]
