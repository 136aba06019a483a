"""Templates come out as Jinja's own environment renders them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.templating import Environment as Flasks
from flask_babel.speaklater import LazyString
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, pass_context, pass_environment, pass_eval_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from werkzeug.local import LocalProxy

from outreach.web.rendering import Rendering, escaped
from outreach.web.template_filters import once_each

VALUES = st.one_of(
    st.text(), st.text().map(Markup), st.integers(), st.booleans(), st.none(), st.floats()
)
MACROS = """
{%- macro shout(word, mark='!') %}<b>{{ word }}{{ mark }}{{ caller() if caller }}</b>{% endmacro %}
{%- macro listed() %}{{ varargs | join('|') }}{{ kwargs | length }}{% endmacro %}
"""
PAGES = {
    "macros.html": MACROS,
    "part.html": "{{ name }}, {{ house }}; ",
    "page.html": """
        {%- from 'macros.html' import shout, listed %}
        {{- shout(name) }} {{ shout(name, mark=word()) }} {{ listed(1, '<', a=2) }}
        {%- call shout('x') %}<i>{{ name }}</i>{% endcall %}
        {%- for each in [1, 2] %}{{ needs_page(each) }}{{ each | string | title }}{% endfor %}
        {%- block part %}{{ needs_house() }}{{ needs_safety() }}{{ method(1, b='&') }}{% endblock %}
        {%- include 'part.html' %}{{ ('<' ~ name) | upper }}{{ none }}{{ absent }}
        {{- thing.size }}{{ thing.word.upper() }}{{ thing.none }}{{ thing.absent }}
        {{- thing.items_of.a.b }}{{ thing.items_of.absent is defined }}{{ thing.items_of.c }}
        {%- for each in thing.rows if each.size > 1 %}{{ each.size }}{% endfor %}
        {%- autoescape false %}{{ name }}{% endautoescape %}{{ 2.5 }}{{ '<b>' | safe }}""",
    "rows.html": """
        {%- macro words(word) %}{% set _ignored = say(word) %}<b>{{ word }}</b>{% endmacro %}
        {%- set once = once_each(words) %}
        {%- for each in ['<', 'x', '<'] %}{{ once(each) }}{% endfor %}""",
    "mail.txt": "{{ name }} {{ word() }}",
}


class _Thing:
    size, word, none = 2, "<i>", None
    items_of: ClassVar = {"a": {"b": "<b>"}, "c": None}
    rows: ClassVar = [SimpleNamespace(size=1), SimpleNamespace(size=3), {"size": 5}]

    def method(self, number: int, b: str) -> str:
        return f"{number}{b}"


@pass_context
def _needs_page(context: Context, each: int) -> str:
    return f"{context['name']}{each}"


@pass_environment
def _needs_house(environment: Environment) -> str:
    return str(environment.globals["house"])


@pass_eval_context
def _needs_safety(how: Any) -> str:
    return str(how.autoescape)


def _environment(kind: Callable[..., Environment]) -> Environment:
    made = kind(Flask(__name__), loader=DictLoader(PAGES), autoescape=_is_page)
    made.globals.update(house="<house>", needs_page=_needs_page, needs_house=_needs_house)
    made.globals.update(needs_safety=_needs_safety, method=_Thing().method, word=lambda: "<w>")
    made.globals["thing"] = _Thing()
    return made


def _is_page(name: str | None) -> bool:
    return name is not None and name.endswith(".html")


@given(VALUES)
def test_a_value_is_written_as_the_library_writes_it(value: object) -> None:
    assert str(escaped(value)) == str(escape(value))


@given(VALUES)
def test_words_that_are_looked_up_as_they_are_written_are_written_as_the_library_does(
    value: object,
) -> None:
    assert str(escaped(LazyString(lambda: value))) == str(escape(LazyString(lambda: value)))


def test_what_is_no_markup_never_counts_as_safe() -> None:
    class Loud(str):
        __slots__ = ()

        def isalnum(self) -> bool:
            return True

    assert escaped(Loud("<b>")) == "&lt;b&gt;"


@given(VALUES)
def test_what_stands_for_another_value_is_written_as_that(value: object) -> None:
    assert "".join([escaped(LocalProxy(lambda: value))]) == str(escape(value))


@pytest.mark.parametrize("page", ["page.html", "mail.txt"])
@given(name=VALUES)
def test_a_page_is_what_flask_makes_of_it(page: str, name: object) -> None:
    ours, flasks = _environment(Rendering), _environment(Flasks)

    rendered = ours.get_template(page).render(name=name)

    assert rendered == flasks.get_template(page).render(name=name)


def test_an_imported_macro_sees_what_all_templates_have() -> None:
    ours = _environment(Rendering)
    page = ours.from_string("{% from 'part.html' import x %}{{ house }}")
    assert page.render() == "<house>"

    ours.globals["house"] = "another"

    assert page.render() == "another"


def test_what_one_template_is_given_no_other_one_has() -> None:
    ours = _environment(Rendering)

    own = ours.from_string("{{ own }}", globals={"own": "mine"})

    assert own.render() == "mine"
    assert "own" not in ours.globals


def test_what_is_said_alike_is_said_once_a_page() -> None:
    ours, said = _environment(Rendering), list[str]()
    ours.globals["once_each"] = once_each

    page = ours.get_template("rows.html").render(say=said.append)

    assert page == "<b>&lt;</b><b>x</b><b>&lt;</b>"
    assert said == ["<", "x"]
