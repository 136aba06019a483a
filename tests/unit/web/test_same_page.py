"""A link to the page at hand leads to it, whatever somebody put into its address."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from config import ROOT
from outreach.web.same_page import same_page

ASKED = st.dictionaries(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
app = Flask(__name__)


@given(ASKED)
def test_what_was_asked_is_asked_again_on_another_page(asked: dict[str, str]) -> None:
    with app.test_request_context("/reports/calls", query_string=asked):
        link = urlsplit(same_page(page=2))

    assert (link.scheme, link.netloc, link.path) == ("", "", "/reports/calls")
    assert parse_qs(link.query) == {name: [value] for name, value in asked.items()} | {
        "page": ["2"]
    }


@pytest.mark.parametrize(
    "odd",
    ["_scheme=javascript&_external=1", "_anchor=x", "_method=POST", "endpoint=calls.queue"],
)
def test_no_question_says_where_a_link_leads(odd: str) -> None:
    with app.test_request_context(f"/reports/calls?{odd}&after=7"):
        assert same_page(after=None) == f"/reports/calls?{odd}"


def test_a_page_that_asks_nothing_has_a_plain_address() -> None:
    with app.test_request_context("/reports/calls?after=7"):
        assert same_page(after=None) == "/reports/calls"


def test_no_template_hands_an_address_to_url_for() -> None:
    asks = [
        each.name
        for each in (ROOT / "templates").rglob("*.html")
        if "url_for(request" in each.read_text() or "**request.args" in each.read_text()
    ]
    assert asks == []
