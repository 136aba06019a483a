"""The demo's blood tests follow the published trial."""

from random import Random
from statistics import fmean, stdev

import pytest

from scripts.demo import labs
from scripts.demo.labs import Labs
from scripts.demo.people import STAFF
from scripts.demo.words import GENERAL, TOPICS

NUMBERS, FINISHED = range(1, 161), range(1, 57)


@pytest.fixture(params=[1, 2, 3])
def figures(request: pytest.FixtureRequest) -> list[Labs]:
    return list(labs.draw(Random(request.param), NUMBERS, FINISHED).values())  # noqa: S311


def test_hba1c_at_the_start_has_the_trials_mean_and_deviation(figures: list[Labs]) -> None:
    starts = [each.start for each in figures]

    assert fmean(starts) == pytest.approx(10.0, abs=0.05)
    assert stdev(starts) == pytest.approx(1.9, abs=0.05)


def test_hba1c_after_six_months_has_the_trials_mean_deviation_and_change(
    figures: list[Labs],
) -> None:
    measured = [each for each in figures if each.is_end_measured]
    changes = [each.end - each.start for each in measured]

    assert len(measured) == 48  # 86% of 56
    assert fmean(each.end for each in measured) == pytest.approx(9.3, abs=0.1)
    assert stdev(each.end for each in measured) == pytest.approx(2.0, abs=0.1)
    assert fmean(changes) == pytest.approx(-0.7, abs=0.1)
    assert stdev(changes) == pytest.approx(1.6, abs=0.45)


def test_no_value_is_beyond_belief_and_the_stratum_has_its_share(figures: list[Labs]) -> None:
    values = [value for each in figures for value in (each.start, each.middle, each.end)]
    in_stratum = sum(each.phq9[0] >= 5 for each in figures)

    assert min(values) >= 5.5
    assert max(values) <= 15.5
    assert in_stratum / len(figures) == pytest.approx(0.38, abs=0.02)


def test_there_are_enough_words_and_addresses_for_everybody() -> None:
    lines = [*GENERAL, *(line for topic in TOPICS for line in topic.notes)]

    assert len(lines) >= 60
    assert len(set(lines)) == len(lines)
    assert all(person.email.isascii() for person in STAFF)
    assert len({person.email for person in STAFF}) == len(STAFF)
