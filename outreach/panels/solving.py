"""The solver behind a proposal: minimum-cost flow, proven optimal.

Patients of one kind (language, wishes) are one node, so that ten thousand of them make a
small network: kind -> caller costs the wishes not met, caller -> end costs the hours filled,
one arc for each place and each dearer than the one before, and an arc past every caller costs
more than any assignment, so that as many as possible are placed. Those who come back are a
node for each former caller: one arc leads to that caller, another, which costs continuity,
to the others of their kind.
Without OR-Tools each patient gets the cheapest place that is left, and the page says so.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.util import find_spec
from typing import Any

from outreach.panels.rules.matching import (
    UNMET_COST,
    Candidate,
    Unmet,
    Verdict,
    Waiting,
    is_allowed,
    left_out_by,
    place_costs,
    wish_cost,
)

LEFT_OUT_COST = 1_000_000
# What has no part in which patients a caller may have and which wishes that meets.
_OF_ONE: dict[str, Any] = {
    "caller_id": 0, "cap": 0, "panel_size": 0, "weekly_minutes": 0, "load": (),
}  # fmt: skip


@dataclass
class Kind:
    """Patients who differ in nothing but their former caller.

    ``back`` are those who had one, by that caller's place in the list of callers, None where
    that caller is there no more; ``new`` are the others.
    """

    like: Waiting
    new: list[Waiting] = field(default_factory=list)
    back: dict[int | None, list[Waiting]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.new) + sum(map(len, self.back.values()))


@dataclass
class Network:
    """The arcs of one flow: parallel lists, and the arcs by what they mean.

    ``straight``: (kind, place of the former caller) to the arc to that caller; ``aside``: the
    same to the arc to the others of the kind; ``given``: (kind, place of a caller) to its arc.
    """

    tails: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    capacities: list[int] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)
    supplies: list[int] = field(default_factory=list)
    straight: dict[tuple[int, int | None], int] = field(default_factory=dict)
    aside: dict[tuple[int, int | None], int] = field(default_factory=dict)
    given: dict[tuple[int, int], int] = field(default_factory=dict)

    def arc(self, tail: int, head: int, capacity: int, cost: int) -> int:
        """Add an arc; return its number."""
        self.tails.append(tail)
        self.heads.append(head)
        self.capacities.append(capacity)
        self.costs.append(cost)
        return len(self.tails) - 1


def is_exact() -> bool:
    """Say whether the exact solver is installed."""
    return find_spec("ortools") is not None


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
    if exactly and is_exact():
        caller_of, is_proven = _by_flow(waiting, callers, rooms, typical_minutes, on=on)
    else:
        caller_of, is_proven = _by_hand(waiting, callers, rooms, typical_minutes, on=on), False
    taken = Counter(caller_of.values())
    left_out = {
        patient.enrolment_id: left_out_by(patient, callers, taken)
        for patient in waiting
        if patient.enrolment_id not in caller_of
    }
    return Verdict(caller_of, left_out, is_proven)


def network(
    kinds: Sequence[Kind],
    callers: Sequence[Candidate],
    rooms: Mapping[int, int],
    typical_minutes: float,
    *,
    on: date,
) -> Network:
    """Return the flow network: nodes are kinds, then callers, the end, and who comes back."""
    first_caller, end = len(kinds), len(kinds) + len(callers)
    everybody = sum(kind.size for kind in kinds)
    net = Network(supplies=[len(kind.new) for kind in kinds] + [0] * len(callers) + [-everybody])
    costs = _Costs(callers, on)
    for index, kind in enumerate(kinds):
        for place, caller in enumerate(callers):
            room = min(kind.size, rooms.get(caller.caller_id, 0))
            cost = costs.of(kind, index, place) if room else None
            if cost is not None:
                net.given[index, place] = net.arc(index, first_caller + place, room, cost)
        net.arc(index, end, kind.size, LEFT_OUT_COST)
        for former, patients in kind.back.items():
            _come_back(net, index, former, len(patients), first_caller=first_caller, end=end)
    for place, caller in enumerate(callers):
        room = min(rooms.get(caller.caller_id, 0), everybody)
        for cost in place_costs(caller, typical_minutes, room):
            net.arc(first_caller + place, end, 1, cost)
    return net


def _come_back(
    net: Network, index: int, place: int | None, count: int, *, first_caller: int, end: int
) -> None:
    """Add the node of those of one kind whom the caller at ``place`` called before."""
    node = len(net.supplies)
    net.supplies.append(count)
    to_former = None if place is None else net.given.get((index, place))
    if place is not None and to_former is not None:
        cost = net.costs[to_former]
        net.straight[index, place] = net.arc(node, first_caller + place, count, cost)
    net.aside[index, place] = net.arc(node, index, count, UNMET_COST[Unmet.CONTINUITY])
    net.arc(node, end, count, LEFT_OUT_COST)


class _Costs:
    """What a caller costs a kind in wishes; callers who are alike are asked about once."""

    def __init__(self, callers: Sequence[Candidate], on: date) -> None:
        self._callers = callers
        self._on = on
        self._known: dict[tuple[int, int], int | None] = {}
        alike: dict[Candidate, int] = {}
        self._of_place = [
            alike.setdefault(replace(each, **_OF_ONE), len(alike)) for each in callers
        ]

    def of(self, kind: Kind, index: int, place: int) -> int | None:
        """Return the cost of the caller at ``place``; None: they may not call this kind."""
        key = (index, self._of_place[place])
        if key not in self._known:
            caller = self._callers[place]
            allowed = is_allowed(kind.like, caller)
            anybody = replace(kind.like, parted=frozenset())
            self._known[key] = wish_cost(anybody, caller, on=self._on) if allowed else None
        known = self._known[key]
        if known is None or self._callers[place].caller_id not in kind.like.parted:
            return known
        return known + UNMET_COST[Unmet.SOMEBODY_ELSE]


def _by_flow(
    waiting: Sequence[Waiting],
    callers: Sequence[Candidate],
    rooms: Mapping[int, int],
    typical_minutes: float,
    *,
    on: date,
) -> tuple[dict[int, int], bool]:
    # Both take longer to load than any page takes; only a proposal needs them.
    import numpy as np  # noqa: PLC0415
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415

    kinds = _kinds(waiting, callers)
    net = network(kinds, callers, rooms, typical_minutes, on=on)
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        np.array(net.tails), np.array(net.heads), np.array(net.capacities),
        np.array(net.costs),
    )  # fmt: skip
    solver.set_nodes_supplies(np.arange(len(net.supplies)), np.array(net.supplies))
    status = solver.solve()
    flows = solver.flows(arcs).tolist()
    return _dealt(kinds, callers, net, flows), status == solver.OPTIMAL


def _dealt(
    kinds: Sequence[Kind], callers: Sequence[Candidate], net: Network, flows: Sequence[int]
) -> dict[int, int]:
    """Deal out the patients of each kind: who waits longest is served first."""
    pools = [list(kind.new) for kind in kinds]
    caller_of: dict[int, int] = {}
    for (index, place), aside in net.aside.items():
        patients = kinds[index].back[place]
        straight = net.straight.get((index, place))
        kept = 0 if straight is None else flows[straight]
        caller_of |= {
            patient.enrolment_id: callers[place].caller_id
            for patient in patients[:kept]
            if place is not None
        }
        # An optimal flow leaves nobody out of a kind that takes in who comes back.
        pools[index] += patients[kept : kept + flows[aside]]
    places: defaultdict[int, list[int]] = defaultdict(list)  # a caller for each place given
    for (index, place), arc in net.given.items():
        places[index] += [callers[place].caller_id] * flows[arc]
    for index, pool in enumerate(pools):
        for patient, caller_id in zip(pool, places[index], strict=False):
            caller_of[patient.enrolment_id] = caller_id
    return caller_of


def _kinds(waiting: Sequence[Waiting], callers: Sequence[Candidate]) -> list[Kind]:
    place_of = {caller.caller_id: place for place, caller in enumerate(callers)}
    kinds: dict[tuple[object, ...], Kind] = {}
    for patient in waiting:
        key = (
            patient.language, patient.zone, patient.wishes, patient.wished_caller, patient.parted,
        )  # fmt: skip
        kind = kinds.setdefault(key, Kind(replace(patient, former_id=None)))
        if patient.former_id is None:
            kind.new.append(patient)
        else:
            kind.back.setdefault(place_of.get(patient.former_id), []).append(patient)
    return list(kinds.values())


def _by_hand(
    waiting: Sequence[Waiting],
    callers: Sequence[Candidate],
    rooms: Mapping[int, int],
    typical_minutes: float,
    *,
    on: date,
) -> dict[int, int]:
    """Give each patient the cheapest place left, those with the fewest callers first."""
    places = {
        place: place_costs(caller, typical_minutes, rooms.get(caller.caller_id, 0))
        for place, caller in enumerate(callers)
    }
    able_by_language = {
        patient.language: [
            place for place, caller in enumerate(callers) if is_allowed(patient, caller)
        ]
        for patient in waiting
    }
    taken: Counter[int] = Counter()
    caller_of: dict[int, int] = {}
    for patient in sorted(waiting, key=lambda each: len(able_by_language[each.language])):
        able = able_by_language[patient.language]
        costs = {
            place: wish_cost(patient, callers[place], on=on) + places[place][taken[place]]
            for place in able
            if taken[place] < len(places[place])
        }
        if costs:
            best = min(costs, key=lambda place: (costs[place], place))
            caller_of[patient.enrolment_id] = callers[best].caller_id
            taken[best] += 1
    return caller_of
