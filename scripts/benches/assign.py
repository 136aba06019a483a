"""Proposing a caller for everybody who waits, beside the bare solver on the same graph.

Ours reads the clinic from the database, solves as often as hours turn out too few, spreads
the first days, and writes the proposal. The limit is the last of those solutions alone.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ortools.graph.python import min_cost_flow
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import ROOT
from outreach import orm, tables
from outreach.accounts.models import Clinic
from outreach.panels import proposals, proposing, solving
from outreach.panels.models import Proposal, ProposalLine
from outreach.panels.rules.matching import total_cost
from scripts.benches import assign_rows, databases
from scripts.benches.measure import Result, Sample, alternate, peak_mb

MANY = 50_000  # from here on two rounds, not three
GRAPH = "graph.npz"


def run(patients: int | None, url: str | None) -> Result:
    """Propose for ``patients`` that wait, and solve the same graph alone."""
    count = patients or 10_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as name:
        folder = Path(name)
        address = databases.prepare(url, folder)
        assign_rows.fill(address, count)
        found = _in_process("look", address, name)
        rounds: list[dict[str, Any]] = []
        ours, limit = alternate(
            lambda: _ours(address, rounds),
            lambda: Sample(_in_process("solve", name)["seconds"]),
            rounds=2 if count >= MANY else 3,
        )
        databases.empty(address)
    best = min(rounds, key=lambda each: each["seconds"])
    extra = {
        "patients x callers": f"{count:,} x {max(2, count // assign_rows.PANEL):,}",
        "peak memory, MB": f"{max(sample.peak_mb for sample in ours):,.0f}",
        "CPU of ours, seconds": f"{min(each['cpu'] for each in rounds):.2f}",
        "reading, seconds": f"{best['reading']:.2f}",
        "the rest, seconds": f"{best['seconds'] - best['reading']:.2f}",
        **{label: str(words) for label, words in found.items()},
    }
    return Result("assign", "seconds", ours, limit, extra)


def _ours(address: str, rounds: list[dict[str, Any]]) -> Sample:
    """Propose in a process of its own for the sake of its memory."""
    found = _in_process("propose", address)
    rounds.append(found)
    return Sample(found["seconds"], found["peak_mb"])


def _in_process(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benches.assign", *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def propose(address: str) -> dict[str, Any]:
    """Make a proposal; return seconds, those spent on reading alone, and memory."""
    with _session(address) as session:
        clinic = session.get_one(Clinic, assign_rows.CLINIC)
        place = proposing.place_of(session, clinic, now=assign_rows.NOW)  # loads a calendar
    with _session(address) as session:
        began, cpu_began = time.perf_counter(), time.process_time()
        clinic = session.get_one(Clinic, assign_rows.CLINIC)
        _make(session, clinic)
        session.commit()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_began
        peak = peak_mb()
    with _session(address) as session:
        began = time.perf_counter()
        clinic = session.get_one(Clinic, assign_rows.CLINIC)
        place = proposing.place_of(session, clinic, now=assign_rows.NOW)
        proposing.people_waiting(session, clinic.id, place)
        reading = time.perf_counter() - began
    return {"seconds": seconds, "cpu": cpu, "reading": reading, "peak_mb": peak}


def look(address: str, folder: str) -> dict[str, Any]:
    """Make a proposal; keep its graph, and return how good the proposal is."""
    graphs: list[solving.Network] = []
    bare_network = solving.network

    def network(*arguments: Any, **options: Any) -> solving.Network:
        graphs.append(bare_network(*arguments, **options))
        return graphs[-1]

    solving.network = network
    with _session(address) as session:
        clinic = session.get_one(Clinic, assign_rows.CLINIC)
        place = proposing.place_of(session, clinic, now=assign_rows.NOW)
        people = proposing.people_waiting(session, clinic.id, place)
        proposal = _make(session, clinic)
        lines = session.scalars(
            select(ProposalLine).where(ProposalLine.proposal_id == proposal.id)
        ).all()
        session.expunge_all()  # nothing is committed
    graph = graphs[-1]
    np.savez(
        Path(folder) / GRAPH,
        tails=graph.tails,
        heads=graph.heads,
        capacities=graph.capacities,
        costs=graph.costs,
        supplies=graph.supplies,
    )
    caller_of = {each.enrolment_id: each.caller_id for each in lines if each.caller_id}
    left_out = Counter(each.left_out.value for each in lines if each.left_out)
    cost = total_cost(
        caller_of,
        [person.facts for person in people],
        place.callers,
        proposing.minutes_of(people, place)[1],
        on=place.today,
    )
    cost += solving.LEFT_OUT_COST * left_out.total()
    best = solve(folder)["cost"]
    low, middle, high = proposal.facts["spread"]
    return {
        "rounds of solving": len(graphs),
        "arcs of the last": f"{len(graph.tails):,}",
        "cost, ours and the optimum": f"{cost:,} = {best:,}"
        if cost == best
        else f"{cost:,} > {best:,}",
        "placed": f"{len(caller_of):,} of {len(lines):,}",
        "left out by rule": dict(left_out) or "nobody",
        "wishes not met": dict(proposal.facts["unmet"]),
        "hours filled": f"{low:.2f} to {high:.2f}, median {middle:.2f}",
    }


def solve(folder: str) -> dict[str, Any]:
    """Solve the kept graph alone; return seconds and the least cost there is."""
    graph = np.load(Path(folder) / GRAPH)
    kept = [graph[name] for name in ("tails", "heads", "capacities", "costs")]
    supplies = graph["supplies"]
    began = time.perf_counter()
    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(*kept)
    solver.set_nodes_supplies(np.arange(len(supplies)), supplies)
    solver.solve()
    return {"seconds": time.perf_counter() - began, "cost": solver.optimal_cost()}


def _make(session: Session, clinic: Clinic) -> Proposal:
    return proposals.make(session, clinic, by_staff_id=assign_rows.MANAGER, now=assign_rows.NOW)


@contextmanager
def _session(address: str) -> Iterator[Session]:
    databases.use_keys()
    engine = orm.make_engine(address)
    with closing(orm.make_sessions(engine)()) as session:
        yield session
    engine.dispose()


if __name__ == "__main__":
    assert tables.ALL  # noqa: S101 - every table is known to the others by then
    parts: dict[str, Callable[..., dict[str, Any]]]
    parts = {"propose": propose, "look": look, "solve": solve}
    print(json.dumps(parts[sys.argv[1]](*sys.argv[2:])))
