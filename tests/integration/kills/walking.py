"""One request of the table, ended at every point of it and sent again.

At a statement the process ends by an exception that nothing catches, and does nothing more. Just
before a commit and just after it a process of its own is killed by the system, as ``kill -9``
does: nothing of it runs any further, and its connection and files stay as they are.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outreach import orm
from outreach.oversight.looks import LOOKED
from outreach.scheduler.schedule import periodic_jobs
from outreach.upkeep import promises
from outreach.upkeep.promises import Breach
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.kills.databases import Marks, Rows, seen
from tests.integration.kills.sending import Request
from tests.integration.kills.table import WALKED
from tests.integration.kills.world import World
from tests.killing import AROUND_COMMITS, Death, Killed, Point, deadly, kill

EVERY = bool(os.environ.get("OUTREACH_CRASHES"))
# What is asked for twice is written down, and counted, twice.
TRAIL = ("audit_event", "audit_link", "brake_count")


@dataclass(frozen=True)
class Whole:
    """What a request comes to where nothing happens to it."""

    request: Request
    before: Marks
    points: tuple[Point, ...]
    expected: dict[str, Rows]


def prepared(world: World, name: str) -> Whole:
    """Send a request undisturbed, and put everything back."""
    request = WALKED[name]
    world.restore(to_the_first=True)
    for earlier in request.after:
        answer = WALKED[earlier].filled(world).send(world)
        assert answer.status_code < 400, (earlier, answer.text)
    filled = request.filled(world)
    world.keep()
    before = world.database.marks()
    death = Death()
    with deadly(world.engine, death):
        answer = filled.send(world)
    assert answer.status_code < 400, answer.text
    after = world.database.marks()
    expected = seen(world.database.engine, before, after)
    return Whole(filled, before, tuple(death.points), expected)


def walk(world: World, name: str, *, only_commits: bool) -> int:
    """Kill a request at each of its points and send it again; return how many there were."""
    whole = prepared(world, name)
    commits = whole.points.count(Point.COMMIT)
    assert whole.expected, "nothing was changed"
    assert commits == whole.request.commits, f"commits {commits} times"
    if EVERY or (list(WALKED).index(name) % 4 == 0 and not only_commits):
        check_promises(world)
    points = list(_walked(whole.points, only_commits=only_commits))
    world.restore()
    for number, point in points:
        _die(world, whole.request, number, point)
        half = world.database.marks()
        is_begun = half != whole.before
        if is_begun and seen(world.database.engine, whole.before, half) != whole.expected:
            check_promises(world)  # the scheduler may have gone on from there, so once more
            world.restore()
            _die(world, whole.request, number, point)
        if is_begun or EVERY:  # else it is as if it had never been sent, byte for byte
            whole.request.send(world)
            where = f"killed at {number} of {len(whole.points)}, {point.value}"
            now = world.database.marks()
            assert_once(whole, seen(world.database.engine, whole.before, now), where)
            world.restore()
    return len(points)


def _walked(points: Sequence[Point], *, only_commits: bool) -> Iterator[tuple[int, Point]]:
    """Yield the points to end at: before the first writing statement nothing can be half done."""
    has_written = EVERY
    for number, point in enumerate(points, start=1):
        has_written = has_written or point is Point.WRITE
        is_walked = (has_written or number == 1) and not only_commits
        if is_walked or point in AROUND_COMMITS:
            yield number, point


def assert_once(whole: Whole, again: dict[str, Rows], where: str) -> None:
    """Hold what is there after a second sending against what one makes."""
    more = whole.request.more
    for table in sorted({*whole.expected, *again} - {*TRAIL, *more}):
        found, wanted = again.get(table), whole.expected.get(table)
        assert found == wanted, f"{where}: {table}: {found} is not {wanted}"
    for table in more:
        assert len(again[table]) >= len(whole.expected[table]), f"{where}: {table}"
    wrong = set(_said(again)) ^ set(_said(whole.expected))
    assert not wrong, f"{where}: the trail: {wrong}"


def _said(rows: dict[str, Rows]) -> list[str]:
    """Return what the trail says; what was asked for twice may stand in it twice.

    Not who looked: a second sending may be told, on a page of the patient, that all is done.
    """
    said = map(repr, rows.get("audit_event", ()))
    return [each for each in said if f"'{LOOKED}'" not in each]


def check_promises(world: World) -> None:
    """Hold the rows against every promise; what is to be done yet, the scheduler may do first."""
    if _breaches(world):
        for job in periodic_jobs(world.sessions, world.gateway, world.clock, world.uploads):
            job.run()
        found = _breaches(world)
        assert found == [], found


def _breaches(world: World) -> list[Breach]:
    with orm.reading(), world.sessions() as session:
        return promises.breaches(session, now=MONDAY_10_CHICAGO)


def _die(world: World, request: Request, number: int, point: Point) -> None:
    (_kill if point in AROUND_COMMITS else _end)(world, request, number)


def _end(world: World, request: Request, number: int) -> None:
    try:
        with deadly(world.engine, Death(number)):
            request.send(world)
    except Killed:
        return
    raise AssertionError("somebody caught the end of the process")


def _kill(world: World, request: Request, number: int) -> None:
    world.forget()  # a connection belongs to one process
    kill(world.engine, lambda: request.send(world), number)
