"""The table of what is killed, kept complete: nothing new commits without being looked at.

What commits once is whole or absent, whatever it does: the database sees to that, and the
walk of every changing route (``kills/table.py``) proves it. What commits more often can die in
between: each such function of a view, webhook or command is named here, with the tests that
end it there. So is each job of the scheduler.
"""

import ast
from collections.abc import Iterator

from config import ROOT
from tests.integration.kills.schedule import job_names
from tests.integration.test_crashes import ELSEWHERE, JOBS

EDGES = ("*views.py", "webhooks.py", "cli.py")
ONLY_FILES = {"sweep uploads"}  # deletes files by their age, and can be done again

# Function: transactions in it, and why ending between two of them does no harm.
SEVERAL = {
    "accounts.security_views:keep_passkey": (2, "one or the other: kept, or the question used up"),
    "calls.views:dial": (2, "a row, then the carrier: phoning/test_trouble.py ends it in between"),
    "calls.views:draft": (3, "one of them: kept, kept aside, or kept though it was taken over"),
    "messaging.cli:reconcile": (3, "reads; then one of two that open the outbox, whole or not"),
    "oversight.views:emergency_page": (2, "one or the other: opened, or a guess counted"),
    "oversight.views:_note_shown": (2, "reads; then a row for each who is not noted yet"),
    "phoning.views:hang_up": (2, "reads; then the carrier; what it says is a row of its own"),
    "questionnaires.call_views:_keep": (2, "one or the other: kept, or told of what came late"),
    "reports.cli:rebuild": (2, "what is not rolled up is counted from rows, and goes on"),
    "upkeep.cli:reseal": (2, "each value, and each page of old ranks and words, by itself"),
    "searching.cli:rebuild": (3, "what is not indexed yet waits in a table, and goes on"),
}


def _transactions() -> Iterator[tuple[str, int]]:
    """Find every function of an edge that has a transaction, with how many it names."""
    for pattern in EDGES:
        for path in sorted((ROOT / "outreach").glob(f"*/{pattern}")):
            name = ".".join(path.relative_to(ROOT / "outreach").with_suffix("").parts)
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and (count := _count(node)):
                    yield f"{name}:{node.name}", count


def _count(function: ast.FunctionDef) -> int:
    named = [node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)]
    return named.count("commit") + named.count("sessionmaker")  # one's own, for what must stay


def test_whatever_has_more_than_one_transaction_is_in_the_table() -> None:
    found = dict(_transactions())

    assert len(found) > 60, "the search has lost the views"
    assert {name: count for name, count in found.items() if count > 1} == {
        name: count for name, (count, _why) in SEVERAL.items()
    }


def test_every_job_of_the_scheduler_is_killed_somewhere() -> None:
    """At every statement here; by the system too, each of them: kills/test_jobs.py."""
    assert {*job_names()} == JOBS.keys() | ELSEWHERE.keys() | ONLY_FILES
    assert not JOBS.keys() & ELSEWHERE.keys()
    for file in set(ELSEWHERE.values()):
        assert "kill" in (ROOT / "tests" / file).read_text().lower(), file
