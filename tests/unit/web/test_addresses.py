"""Templates write the addresses that Flask's own ``url_for`` makes, whatever was made before."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, render_template_string, url_for
from hypothesis import given
from hypothesis import strategies as st

from outreach.web import addresses

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "page": VALUES,
        "a b": VALUES,
        "_anchor": st.none() | st.text(),
        "_external": st.booleans(),
        "_method": st.sampled_from(["GET", "HEAD"]),
    },
)
HERE = "{{ url_for('.queue') }}"


def _app() -> Flask:
    app = Flask(__name__)
    calls = Blueprint("calls", __name__)
    calls.add_url_rule("/calls/<ref>", "call", lambda ref: ref)
    calls.add_url_rule("/queue/", "queue", lambda: render_template_string(HERE))
    app.register_blueprint(calls)
    notes = Blueprint("notes", __name__)
    notes.add_url_rule("/", "queue", lambda: render_template_string(HERE))
    app.register_blueprint(notes, url_prefix="/notes")
    addresses.init_app(app)
    return app


app = _app()
written: Callable[..., str] = app.jinja_env.globals["url_for"]  # type: ignore[assignment]


@given(st.text(min_size=1).filter(lambda ref: "/" not in ref), GIVEN)
def test_an_address_is_what_flask_makes_of_it(ref: str, values: dict[str, Any]) -> None:
    with app.test_request_context():
        for _again in range(2):
            assert written("calls.call", ref=ref, **values) == url_for(
                "calls.call", ref=ref, **values
            )


def test_values_that_are_equal_and_written_differently_are_two_addresses() -> None:
    with app.test_request_context():
        assert written("calls.queue", page=1) == "/queue/?page=1"
        assert written("calls.queue", page=True) == "/queue/?page=True"


@pytest.mark.parametrize("root", ["", "/clinic"])
def test_it_lies_below_where_the_product_lies(root: str) -> None:
    with app.test_request_context(environ_overrides={"SCRIPT_NAME": root}):
        assert written("calls.call", ref="a1") == f"{root}/calls/a1"


@pytest.mark.parametrize("host", ["one.example", "two.example"])
def test_a_whole_address_names_the_host_that_was_asked(host: str) -> None:
    with app.test_request_context(headers={"Host": host}):
        assert written("calls.queue", _external=True) == f"http://{host}/queue/"


def test_a_page_of_this_blueprint_is_one_of_this_very_blueprint() -> None:
    client = app.test_client()

    assert client.get("/queue/").text == "/queue/"
    assert client.get("/notes/").text == "/notes/"


def test_what_somebody_typed_is_not_kept() -> None:
    made = []

    def make(endpoint: str, **_values: object) -> str:
        made.append(endpoint)
        return "/"

    remembered = addresses.remembering(make)
    with app.test_request_context():
        for typed in ("short", "long" * addresses.LONGEST):
            for _again in range(2):
                remembered(typed[:5], search=typed)

    assert made == ["short", "longl", "longl"]
