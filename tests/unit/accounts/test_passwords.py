"""Which passwords may be chosen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.accounts import passwords
from outreach.accounts.weak_passwords import is_weak
from tests.builders import PASSWORD
from tests.conftest import FAST_HASHER


@pytest.mark.parametrize(
    "password",
    [
        "password12345678",
        "P@ssw0rdP@ssw0rd2026!",
        "OutreachOutreach2026!!",
        "qwertyuiop[]1234",
        "1q2w3e4r5t6y7u8i",
        "1234567890123456",
        "abcabcabcabcabc",
        "aaaaaaaaaaaaaaaa",
        "correcthorsebatterystaple",
        "Summer2026Winter",
        "welcome welcome",
        "letmeinletmein!",
        "0987654321qwerty",
        "ANA.MORALES.2026",
        "morales-cedar-1!",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(passwords.PasswordTooCommon):
        passwords.check(password, ("Ana Morales", "ana@cedar.example"))


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "velvet otter prints maps",
        "8uHk2-pRq9-Zx4m",
        "trombone ladder quilt",
        "ñandú corre por la pampa",
        "мама мыла раму вчера",
        "kT7#vLq2!mWz-pR",
    ],
)
def test_what_nobody_guesses_may_be_chosen(password: str) -> None:
    passwords.check(password, ("Ana Morales", "ana@cedar.example"))


def test_fourteen_characters_are_too_few_and_257_too_many() -> None:
    with pytest.raises(passwords.PasswordTooShort):
        passwords.check("kT7#vLq2!mWz-p")
    passwords.check("kT7#vLq2!mWz-pR")
    passwords.check(("trombone ladder quilt " * 12)[: passwords.LONGEST - 5] + "x7&Qb")
    with pytest.raises(passwords.PasswordTooLong):
        passwords.check("trombone ladder quilt " * 12)


def test_an_accent_is_the_same_letter_however_it_was_typed() -> None:
    composed, apart = unicodedata.normalize("NFC", "ñandú"), unicodedata.normalize("NFD", "ñandú")
    assert composed != apart

    kept = passwords.hashed(composed + " corre lejos", FAST_HASHER)

    assert FAST_HASHER.verify(kept, unicodedata.normalize("NFKC", apart + " corre lejos"))


@given(st.text(max_size=300))
def test_every_text_gets_an_answer(text: str) -> None:
    assert is_weak(text) in {True, False}
