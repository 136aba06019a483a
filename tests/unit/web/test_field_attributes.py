"""Fields are written as WTForms writes them."""

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from wtforms.widgets import html_params

from outreach.web.field_attributes import attributes

NAMES = st.sampled_from(["id", "class_", "for_", "data_of_what", "aria_label", "value", "x-on:a"])
VALUES = st.one_of(st.booleans(), st.integers(), st.none(), st.text(), st.text().map(Markup))


@given(st.dictionaries(NAMES, VALUES))
def test_attributes_are_those_of_the_library(given_ones: dict[str, object]) -> None:
    assert attributes(**given_ones) == html_params(**given_ones)


def test_a_quotation_mark_never_ends_a_value() -> None:
    assert attributes(value=Markup('"><b>')) == 'value="&quot;><b>"'
    assert attributes(value='"><b>') == 'value="&#34;&gt;&lt;b&gt;"'
