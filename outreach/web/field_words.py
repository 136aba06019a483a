"""The words of form fields themselves, such as 'This field is required.', in people's languages.

Flask-WTF reads the file of a language anew for every page that has a form. What comes out here is
the same.
"""

from functools import lru_cache

from babel.support import NullTranslations, Translations
from flask_babel import get_locale
from flask_wtf import FlaskForm
from wtforms.i18n import messages_path


def use() -> None:
    """Let every form take its words from here: the place that WTForms has for it."""
    FlaskForm.Meta.get_translations = _of_form


def _of_form(_meta: object, _form: FlaskForm) -> NullTranslations:
    return _in(str(get_locale() or "en"))


@lru_cache(maxsize=100)  # languages: those of the product are few
def _in(locale: str) -> NullTranslations:
    return Translations.load(messages_path(), [locale], domain="wtforms")
