"""What stands in the tags of form fields, written quickly.

A call screen has some fifty fields. WTForms formats each attribute of each of them as a template
of its own, which took an eighth of the page's time; what comes out here is the same.
"""

from functools import lru_cache

from markupsafe import Markup, escape
from wtforms.widgets import Input
from wtforms.widgets.core import clean_key


def use() -> None:
    """Let every input write its attributes by this: the place that WTForms has for it."""
    Input.html_params = staticmethod(attributes)


def attributes(**given: object) -> Markup:
    """Return HTML attributes in the order of their names, as ``wtforms.widgets.html_params``.

    True is a name without a value, False is left out.
    """
    written = [_attribute(name, value) for name, value in sorted(given.items())]
    return Markup(" ".join(filter(None, written)))  # noqa: S704 - each part is escaped


def _attribute(name: str, value: object) -> str:
    if value is False:
        return ""
    if value is True:
        return _key(name)
    text = str(escape(value)).replace('"', "&quot;")  # markup may hold a quotation mark
    return f'{_key(name)}="{text}"'


@lru_cache(maxsize=1000)  # names of attributes: those of the product are few
def _key(name: str) -> str:
    return str(escape(clean_key(name)))
