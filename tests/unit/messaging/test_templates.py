"""The words of reminders: short, plain, and silent on health."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from outreach.messaging.templates import ReminderFacts, alert, digest, reminder
from outreach.wordings.keeping import built_in
from outreach.wordings.rules import TextName, known_language

LANGUAGES = ("en", "es", "pt")
CHICAGO = ZoneInfo("America/Chicago")
FACTS = ReminderFacts(
    language="en",
    clinic_name="Riverside",
    clinic_phone="(512) 555-0100",
    caller_name="Ana",
    from_local=datetime(2026, 11, 23, 9, tzinfo=CHICAGO),
    until_local=datetime(2026, 11, 23, 12, tzinfo=CHICAGO),
)
# Every day of a year, so that each name of a weekday and month is seen, at awkward minutes.
YEAR = [datetime(2026, 1, 1, 11, 45, tzinfo=CHICAGO) + timedelta(days=day) for day in range(365)]
# Source: GSM 03.38, basic character set without its Greek capitals.
GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅå_ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# What a look over somebody's shoulder must not tell.
HEALTH = re.compile(
    r"diabet|a1c|gluc|insulin|sugar|azúcar|açúcar|health|salud|saúde|medic|doctor|médic|nurse"
    r"|enfermer|patient|pacient|clinic|clínic|hospital|depress|mood|empath|program",
    re.IGNORECASE,
)
# Words on which carriers unsubscribe a number; ours names STOP and no other.
KEYWORDS = re.compile(r"\b(cancel|end|yes|quit|unsubscribe|stopall|start|help)\b", re.IGNORECASE)
EVERY_KIND = list(product(LANGUAGES, (False, True)))


def text_of(facts: ReminderFacts, *, is_agreed: bool = False) -> str:
    name = TextName.REMINDER_AGREED if is_agreed else TextName.REMINDER
    return reminder(facts, built_in(name, known_language(facts.language)))


def every_text(language: str, *, is_agreed: bool, **names: str) -> list[str]:
    return [
        text_of(
            replace(
                FACTS,
                language=language,
                from_local=moment,
                until_local=moment + timedelta(hours=1),
                **names,
            ),
            is_agreed=is_agreed,
        )
        for moment in YEAR
    ]


@pytest.mark.parametrize(("language", "is_agreed"), EVERY_KIND)
def test_no_text_speaks_of_health_or_has_a_second_keyword(
    language: str, *, is_agreed: bool
) -> None:
    for text in every_text(language, is_agreed=is_agreed):
        assert not HEALTH.search(text), text
        assert not KEYWORDS.search(text), text
        assert re.findall(r"\bSTOP\b", text) == ["STOP"]


@pytest.mark.parametrize(("language", "is_agreed"), EVERY_KIND)
def test_a_text_is_short_even_with_long_names(language: str, *, is_agreed: bool) -> None:
    texts = every_text(language, is_agreed=is_agreed, clinic_name="C" * 90, caller_name="N" * 90)

    assert max(map(len, texts)) <= 160


@pytest.mark.parametrize(("language", "is_agreed"), EVERY_KIND)
def test_every_language_costs_one_text(language: str, *, is_agreed: bool) -> None:
    used = set("".join(every_text(language, is_agreed=is_agreed)))

    assert used <= GSM7, used - GSM7


def test_an_agreed_time_is_named_and_a_part_of_the_day_has_both_ends() -> None:
    usual, agreed = text_of(FACTS), text_of(FACTS, is_agreed=True)

    assert "Mon, Nov 23, 9 AM-12 PM" in usual
    assert "as agreed, Mon, Nov 23 at 9 AM" in agreed


@pytest.mark.parametrize("language", ["fr", "", "zz-ZZ"])
def test_english_is_for_whoever_we_have_no_words_for(language: str) -> None:
    assert text_of(replace(FACTS, language=language)) == text_of(FACTS)


def test_a_regional_language_has_the_words_of_its_language() -> None:
    assert text_of(replace(FACTS, language="es_MX")) == text_of(replace(FACTS, language="es"))


def test_a_brace_in_a_name_stays_a_brace() -> None:
    assert "{begins}" in text_of(replace(FACTS, caller_name="{begins}"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("to_staff", [alert, digest])
def test_staff_are_told_in_their_language_and_of_no_one(
    to_staff: Callable[[str, str], str], language: str
) -> None:
    text = to_staff("Cedar Creek", language)

    assert text.startswith("Cedar Creek: ")
    assert not HEALTH.search(text.removeprefix("Cedar Creek"))
    assert (text == to_staff("Cedar Creek", "en")) == (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_weekly_word_ends_with_the_address_of_the_report(language: str) -> None:
    words, link = digest("Cedar Creek", language), "https://outreach.example/reports/adherence"

    assert digest("Cedar Creek", language, link) == f"{words} {link}"
