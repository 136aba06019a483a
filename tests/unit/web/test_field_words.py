"""What a form says of its fields is the library's, in the language of whoever looks."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel, force_locale
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired

from outreach.web import field_words


class _Form(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", [InputRequired()])


@pytest.fixture
def app() -> Iterator[Flask]:
    app = Flask("words", static_folder=None)
    app.config.update(SECRET_KEY="of a test", WTF_CSRF_ENABLED=False)
    Babel(app)
    kept = FlaskForm.Meta.get_translations
    yield app
    FlaskForm.Meta.get_translations = kept


def said(app: Flask, locale: str) -> list[str]:
    with app.test_request_context(method="POST"), force_locale(locale):
        form = _Form()
        form.validate()
        return list(form.name.errors)


@pytest.mark.parametrize("locale", ["en", "es", "de", "pt_BR"])
def test_the_words_are_those_of_the_library(app: Flask, locale: str) -> None:
    before = said(app, locale)
    field_words.use()

    assert said(app, locale) == before


def test_each_language_has_its_own(app: Flask) -> None:
    field_words.use()

    assert said(app, "es") == ["Este campo es obligatorio."]
    assert said(app, "en") == ["This field is required."]
