"""Which languages there are, each under one code."""

import pytest

from outreach.accounts.rules import language_code
from outreach.patients.labels import COMMON_LANGUAGES


@pytest.mark.parametrize(
    ("written", "code"),
    [("en", "en"), ("EN-us", "en"), ("pt", "pt-BR"), ("pt_PT", "pt-BR"), (" es ", "es")],
)
def test_a_language_has_one_code_however_it_is_written(written: str, code: str) -> None:
    assert language_code(written) == code


@pytest.mark.parametrize("written", ["", "Spanish", "xx", "e", "en-"])
def test_what_is_no_language_has_none(written: str) -> None:
    assert language_code(written) is None


def test_every_language_offered_is_written_as_an_import_writes_it() -> None:
    assert [language_code(code) for code in COMMON_LANGUAGES] == list(COMMON_LANGUAGES)
