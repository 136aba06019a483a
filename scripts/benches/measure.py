"""Setting ours beside the limit: alternating, the best of several, one table, one JSON line."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One measurement: how much (seconds or milliseconds), the memory it took, in MB, and CPU.

    ``cpu_seconds`` of ours and of the database's process: on a busy machine it says more.
    """

    value: float
    peak_mb: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class Result:
    """What one bench found. ``extra`` are further lines of its table."""

    name: str
    unit: str
    ours: Sequence[Sample]
    limit: Sequence[Sample]
    extra: Mapping[str, str] = field(default_factory=dict)

    def show(self) -> None:
        """Print a small table, and last one JSON line."""
        ours, limit = _best(self.ours), _best(self.limit)
        ratio = ours / limit if limit else 0.0
        peak_mb = max(sample.peak_mb for sample in self.ours)
        print(f"\n{self.name:<28}{'best':>10}{'worst':>10}  {self.unit}")
        for label, samples in (("ours", self.ours), ("limit", self.limit)):
            worst = max(sample.value for sample in samples)
            print(f"{label:<28}{_best(samples):>10.3f}{worst:>10.3f}")
        print(f"{'ours / limit':<28}{ratio:>10.2f}")
        for label, words in self.extra.items():
            print(f"{label:<28}{words:>10}")
        others = os.getloadavg()[0]
        print(f"{'load of the machine':<28}{others:>10.2f}")
        figures = {
            "name": self.name,
            "ours": round(ours, 4),
            "limit": round(limit, 4),
            "ratio": round(ratio, 3),
            "peak_mb": round(peak_mb, 1),
        }
        print(json.dumps(figures))


def alternate(
    ours: Callable[[], Sample], limit: Callable[[], Sample], *, rounds: int
) -> tuple[list[Sample], list[Sample]]:
    """Return samples of both, taken in turns so that a busy machine is busy for both."""
    pairs = [(ours(), limit()) for _round in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def cpu_seconds(*backend_pids: int | None) -> float:
    """Return the CPU that this process has taken, and the server's processes ``backend_pids``.

    That of a server on another machine is not known, and counts as none (Linux).
    """
    return time.process_time() + sum(map(_of_backend, backend_pids))


def _of_backend(pid: int | None) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    user, system = stat.rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def timed_cpu(work: Callable[[], Any], pid: int | None) -> Sample:
    """Return the CPU that something took, in ms, of this process and of the server's ``pid``."""
    before = cpu_seconds(pid)
    work()
    return Sample((cpu_seconds(pid) - before) * 1000, peak_mb())


def backend_pid(connection: Any) -> int | None:
    """Return the server's process that answers a bare driver's connection, if there is one."""
    return getattr(getattr(connection, "info", None), "backend_pid", None)


def peak_mb() -> float:
    """Return the most memory this process had, in MB (Linux).

    Not ru_maxrss, which a new process inherits from the one that started it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def pss_mb(pid: int) -> float:
    """Return the proportional memory of a process and its children, in MB (Linux)."""
    total = 0.0
    for each in processes_of(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended meanwhile
            continue
        total += sum(float(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
    return total


def processes_of(pid: int) -> list[int]:
    """Return a process and its children, and theirs (Linux)."""
    return [pid, *_children_of(pid)]


def _children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [child, *_children_of(child)]
    return found


def _best(samples: Sequence[Sample]) -> float:
    return min(sample.value for sample in samples)
