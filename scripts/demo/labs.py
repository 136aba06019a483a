"""Blood tests and visits whose figures follow the published trial.

Source: domain.md A1. HbA1c 10.0 (SD 1.9) at the start and 9.3 (SD 2.0) after six months
among the 86% who were measured; a paired change of -0.7 with an SD of about 1.6, and more of
it in those who began with a PHQ-9 of 5 or above, as were 38%.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, stdev

START_MEAN, START_SD = 10.0, 1.9
END_MEAN, END_SD = 9.3, 2.0
MEASURED_SHARE = 0.86
STRATUM_SHARE = 0.38
# With r = 0.70 x 1.9 / 2.0 between both tests, the paired change has an SD of 1.6.
SLOPE, REST_SD = 0.70, 1.49
BOUNDS = (5.5, 15.5)
_LOWEST_START = 7.5  # who enters has at least this
_STRATUM_SHIFT = 0.55


@dataclass(frozen=True)
class Labs:
    """One patient's figures: HbA1c in %, PHQ-9 totals, pressure in mm[Hg], weight in pounds.

    ``end`` is what a test after six months would show; ``is_end_measured`` whether there is
    one. ``pressure`` and ``pounds`` are (start, end), None where nobody took them.
    """

    start: float
    middle: float
    end: float
    is_end_measured: bool
    phq9: tuple[int, int]
    pressure: tuple[tuple[int, int], tuple[int, int]] | None
    pounds: tuple[float, float] | None

    def hba1c_after(self, days: int) -> float:
        """Return the level ``days`` after the start, on a line that is done by day 150."""
        return self.start + (self.end - self.start) * min(1.0, max(0, days) / 150)


def draw(rng: Random, numbers: Sequence[int], finished: Sequence[int]) -> dict[int, Labs]:
    """Return figures for all of ``numbers``; of ``finished``, most have a last test."""
    measured = sorted(rng.sample(finished, round(MEASURED_SHARE * len(finished))))
    others = [number for number in numbers if number not in set(measured)]
    return {
        **_group(rng, measured, is_end_measured=True),
        **_group(rng, others, is_end_measured=False),
    }


def _group(rng: Random, numbers: Sequence[int], *, is_end_measured: bool) -> dict[int, Labs]:
    """Draw one group so that its own means and deviations are the trial's."""
    stratum = set(rng.sample(numbers, round(STRATUM_SHARE * len(numbers))))
    starts = _fitted(
        [rng.gammavariate(2.2, 1.28) for _each in numbers],
        START_MEAN,
        START_SD,
        (_LOWEST_START, BOUNDS[1]),
    )
    rests = [rng.gauss(0, REST_SD) - _STRATUM_SHIFT * (number in stratum) for number in numbers]
    ends = _fitted(
        [SLOPE * start + rest for start, rest in zip(starts, rests, strict=True)],
        END_MEAN,
        END_SD,
        BOUNDS,
    )
    return {
        number: Labs(
            start=start,
            middle=_middle(rng, start, end),
            end=end,
            is_end_measured=is_end_measured,
            phq9=_phq9(rng, is_high=number in stratum),
            pressure=_pressure(rng),
            pounds=_pounds(rng),
        )
        for number, start, end in zip(numbers, starts, ends, strict=True)
    }


def _fitted(
    values: Sequence[float], mean: float, sd: float, bounds: tuple[float, float]
) -> list[float]:
    """Return ``values`` moved and stretched to ``mean`` and ``sd`` within ``bounds``."""
    fitted = list(values)
    for _round in range(40):  # cutting at the bounds undoes a little of the fit each time
        centre, spread = fmean(fitted), stdev(fitted)
        fitted = [mean + (value - centre) * sd / spread for value in fitted]
        fitted = [min(bounds[1], max(bounds[0], value)) for value in fitted]
    return [round(value, 1) for value in fitted]


def _middle(rng: Random, start: float, end: float) -> float:
    value = start + 0.65 * (end - start) + rng.gauss(0, 0.5)
    return round(min(BOUNDS[1], max(BOUNDS[0], value)), 1)


def _phq9(rng: Random, *, is_high: bool) -> tuple[int, int]:
    start = min(22, 5 + int(rng.gammavariate(1.6, 2.6))) if is_high else rng.randrange(5)
    return start, min(24, max(0, round(start - rng.gauss(1.4, 2.2))))


def _pressure(rng: Random) -> tuple[tuple[int, int], tuple[int, int]] | None:
    if rng.random() > 0.5:  # noqa: PLR2004 - taken for half of them
        return None
    high = min(172, max(100, round(rng.gauss(135, 13))))
    low = min(102, max(58, round(rng.gauss(81, 8))))
    later = max(98, high - round(rng.gauss(3, 6)))
    return (high, low), (min(174, later), min(104, max(56, low - round(rng.gauss(2, 4)))))


def _pounds(rng: Random) -> tuple[float, float] | None:
    if rng.random() > 0.45:  # noqa: PLR2004 - taken for some
        return None
    start = min(330.0, max(118.0, round(rng.gauss(203, 40), 1)))
    return start, round(start - rng.gauss(4, 6), 1)
