"""Numbers on pages that a telephone rings when they are pressed; in a trial none does."""

from flask import Flask
from markupsafe import Markup

_LINK = Markup('<a{css} href="tel:{number}">{words}</a>')
_WORDS = Markup("<span{css}>{words}</span>")
_CLASS = Markup(' class="{}"')


def init_app(app: Flask, *, is_trial: bool) -> None:
    """Let templates name a number to ring; nothing may leave the house in a trial."""

    def number_to_ring(number: str, words: object, css: str = "") -> Markup:
        looks = _of_words(css) if is_trial else css
        named = _CLASS.format(looks) if looks else Markup()
        return (_WORDS if is_trial else _LINK).format(css=named, number=number, words=words)

    app.add_template_global(number_to_ring, "number_to_ring")


def _of_words(css: str) -> str:
    """Return the classes without those of a button: there is nothing to press."""
    return " ".join(each for each in css.split() if not each.startswith("btn"))
