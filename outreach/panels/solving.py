"""The solver behind a proposal: minimum-cost flow, proven optimal.

Patients who are alike (language, wishes, former caller) are one node, so that ten thousand
of them make a small network: class -> caller costs the wishes not met, caller -> end costs
the hours filled, one arc for each place and each dearer than the one before, and an arc past
every caller costs more than any assignment, so that as many as possible are placed.
Without OR-Tools each patient gets the cheapest place that is left, and the page says so.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from outreach.panels.rules.matching import (
    Candidate,
    Verdict,
    Waiting,
    is_allowed,
    left_out_by,
    place_costs,
    wish_cost,
)

try:
    import numpy as np
    from ortools.graph.python import min_cost_flow
except ImportError:  # an installation without OR-Tools; the page says so
    min_cost_flow = None

LEFT_OUT_COST = 1_000_000


@dataclass(frozen=True)
class Network:
    """The arcs of one flow: parallel lists, and what each of the first ones means."""

    tails: list[int]
    heads: list[int]
    capacities: list[int]
    costs: list[int]
    meaning: list[tuple[int, int]]  # (class, caller) for each of the first arcs
    supplies: list[int]


def is_exact() -> bool:
    """Say whether the exact solver is installed."""
    return min_cost_flow is not None


def solve(
    waiting: Sequence[Waiting],
    callers: Sequence[Candidate],
    rooms: Mapping[int, int],
    typical_minutes: float,
    *,
    on: date,
    exactly: bool = True,
) -> Verdict:
    """Return the best caller for each of ``waiting``, in the order in which they wait.

    Args:
        waiting: the patients, those who wait longest first.
        callers: everybody who calls at the clinic.
        rooms: caller id to how many new patients they may take.
        typical_minutes: what a new patient costs in a week, once under way.
        on: the day on which clocks are compared.
        exactly: by the exact solver, where it is installed.
    """
    classes = _classes(waiting)
    if exactly and is_exact():
        amounts, is_proven = _by_flow(classes, callers, rooms, typical_minutes, on=on)
    else:
        amounts, is_proven = _by_hand(classes, callers, rooms, typical_minutes, on=on), False
    caller_of = _dealt(classes, callers, amounts)
    taken = Counter(caller_of.values())
    left_out = {
        patient.enrolment_id: left_out_by(patient, callers, taken)
        for patient in waiting
        if patient.enrolment_id not in caller_of
    }
    return Verdict(caller_of, left_out, is_proven)


def network(
    classes: Sequence[Sequence[Waiting]],
    callers: Sequence[Candidate],
    rooms: Mapping[int, int],
    typical_minutes: float,
    *,
    on: date,
) -> Network:
    """Return the flow network: nodes are classes, then callers, then the end."""
    first_caller, end = len(classes), len(classes) + len(callers)
    net = Network([], [], [], [], [], [len(alike) for alike in classes] + [0] * len(callers))
    for index, alike in enumerate(classes):
        for place, caller in enumerate(callers):
            room = min(len(alike), rooms.get(caller.caller_id, 0))
            if room and is_allowed(alike[0], caller):
                _arc(net, index, first_caller + place, room, wish_cost(alike[0], caller, on=on))
                net.meaning.append((index, place))
    for index, alike in enumerate(classes):
        _arc(net, index, end, len(alike), LEFT_OUT_COST)
    for place, caller in enumerate(callers):
        room = min(rooms.get(caller.caller_id, 0), sum(map(len, classes)))
        for cost in place_costs(caller, typical_minutes, room):
            _arc(net, first_caller + place, end, 1, cost)
    net.supplies.append(-sum(map(len, classes)))
    return net


def _by_flow(
    classes: Sequence[Sequence[Waiting]],
    callers: Sequence[Candidate],
    rooms: Mapping[int, int],
    typical_minutes: float,
    *,
    on: date,
) -> tuple[dict[tuple[int, int], int], bool]:
    net = network(classes, callers, rooms, typical_minutes, on=on)
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        np.array(net.tails), np.array(net.heads), np.array(net.capacities),
        np.array(net.costs),
    )  # fmt: skip
    solver.set_nodes_supplies(np.arange(len(net.supplies)), np.array(net.supplies))
    status = solver.solve()
    flows = solver.flows(arcs[: len(net.meaning)])
    amounts = {meaning: int(flow) for meaning, flow in zip(net.meaning, flows, strict=True) if flow}
    return amounts, status == solver.OPTIMAL


def _by_hand(
    classes: Sequence[Sequence[Waiting]],
    callers: Sequence[Candidate],
    rooms: Mapping[int, int],
    typical_minutes: float,
    *,
    on: date,
) -> dict[tuple[int, int], int]:
    """Give each patient the cheapest place left, those with the fewest callers first."""
    places = {
        place: place_costs(caller, typical_minutes, rooms.get(caller.caller_id, 0))
        for place, caller in enumerate(callers)
    }
    able = {
        index: [place for place, caller in enumerate(callers) if is_allowed(alike[0], caller)]
        for index, alike in enumerate(classes)
    }
    amounts: Counter[tuple[int, int]] = Counter()
    taken: Counter[int] = Counter()
    for index in sorted(able, key=lambda each: (len(able[each]), each)):
        for _patient in classes[index]:
            free = [place for place in able[index] if taken[place] < len(places[place])]
            if not free:
                break
            best = min(
                free,
                key=lambda place: (
                    wish_cost(classes[index][0], callers[place], on=on)
                    + places[place][taken[place]],
                    place,
                ),
            )
            amounts[index, best] += 1
            taken[best] += 1
    return dict(amounts)


def _dealt(
    classes: Sequence[Sequence[Waiting]],
    callers: Sequence[Candidate],
    amounts: Mapping[tuple[int, int], int],
) -> dict[int, int]:
    """Deal out the patients of each class: who waits longest is served first."""
    by_class: defaultdict[int, list[int]] = defaultdict(list)
    for (index, place), amount in sorted(amounts.items()):
        by_class[index] += [place] * amount
    return {
        patient.enrolment_id: callers[place].caller_id
        for index, places in by_class.items()
        for patient, place in zip(classes[index], places, strict=False)
    }


def _classes(waiting: Sequence[Waiting]) -> list[list[Waiting]]:
    alike: dict[tuple[object, ...], list[Waiting]] = {}
    for patient in waiting:
        key = (
            patient.language,
            patient.zone,
            patient.wishes,
            patient.wished_caller,
            patient.former_id,
        )
        alike.setdefault(key, []).append(patient)
    return list(alike.values())


def _arc(net: Network, tail: int, head: int, capacity: int, cost: int) -> None:
    net.tails.append(tail)
    net.heads.append(head)
    net.capacities.append(capacity)
    net.costs.append(cost)
