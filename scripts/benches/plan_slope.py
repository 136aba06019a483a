"""The plan at a hundredth, a tenth and all of the enrolments: how time and memory grow."""

import tempfile
from math import log
from pathlib import Path

from scripts.benches import databases, plan
from scripts.benches.measure import Result, Sample
from scripts.benches.plan import Measured

STEPS = (100, 10, 1)


def run(enrolments: int | None, url: str | None) -> Result:
    """Plan for a part of ``enrolments``, then for more of them; the largest is shown as ours."""
    largest = enrolments or 100_000
    found: dict[int, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        for count in sorted({max(1, largest // step) for step in STEPS}):
            address = databases.prepare(url, Path(folder))
            plan.fill(address, count)
            found[count] = plan.measured(address, count)
            plan.drop_decided(address)
            databases.empty(address)
    extra: dict[str, str] = {}
    for count, each in found.items():
        extra |= {
            f"{count:,}: seconds": f"{_best(each.ours):.3f}",
            f"{count:,}: ours / limit": f"{_best(each.ours) / _best(each.limit):.2f}",
            f"{count:,}: peak memory, MB": f"{max(one.peak_mb for one in each.ours):,.0f}",
        }
    smallest = min(found)
    extra |= {
        f"slope, {name}": f"{log(last / first) / log(largest / smallest):.2f}"
        for name, first, last in (
            ("ours", _best(found[smallest].ours), _best(found[largest].ours)),
            ("limit", _best(found[smallest].limit), _best(found[largest].limit)),
        )
    }
    return Result("plan-slope", "seconds", found[largest].ours, found[largest].limit, extra)


def _best(samples: list[Sample]) -> float:
    return min(sample.value for sample in samples)
