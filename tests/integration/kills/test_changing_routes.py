"""A web process may die at any statement of any request: sent again, all is as if it had not.

``table.WALKED`` lists the requests. On SQLite each is ended before its first statement, before
each from the first that writes, and around its commits; on PostgreSQL a third of them around
their commits. With ``OUTREACH_CRASHES=1`` all are ended everywhere on SQLite and around all
commits on PostgreSQL, each is sent again after each point, and every promise is checked.
"""

import pytest

from tests.integration.kills.table import NOTHING, WALKED
from tests.integration.kills.walking import EVERY, walk
from tests.integration.kills.world import World

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def test_every_route_that_can_change_something_is_in_the_table(world: World) -> None:
    found = {
        rule.endpoint
        for rule in world.app.url_map.iter_rules()
        if CHANGING & set(rule.methods or ())
    }
    listed = {name.split(",")[0] for name in WALKED}

    assert len(found) > 140, "the search has lost the routes"
    assert found == listed | NOTHING.keys()
    assert not listed & NOTHING.keys()
    assert [name for name, each in WALKED.items() if bool(each.more) != bool(each.why)] == []
    assert len(WALKED) * 3 > 200, "each is ended at three points at least"


@pytest.mark.parametrize("name", NOTHING)
def test_a_request_of_which_nothing_is_walked_writes_nothing(world: World, name: str) -> None:
    request, _why = NOTHING[name]
    world.restore(to_the_first=True)
    filled = request.filled(world)
    before = world.database.marks()
    answer = filled.send(world)

    assert answer.status_code < 400 or name == "fhir.nothing", answer.text
    assert world.database.marks() == before


WALKS = [
    (engine, name)
    for engine in ("sqlite", "postgresql")
    for number, name in enumerate(WALKED)
    if engine == "sqlite" or number % 3 == 0 or EVERY
]


@pytest.mark.parametrize(("world", "name"), WALKS, indirect=["world"], scope="module")
def test_a_request_killed_anywhere_and_sent_again_has_its_effect_once(
    world: World, name: str
) -> None:
    only_commits = world.engine.dialect.name == "postgresql"
    least = 2 if only_commits else 3  # both sides of a commit, and a statement

    assert walk(world, name, only_commits=only_commits) >= least
