"""How long the next try to sign in waits: guessers are slow, and nobody keeps the owner out."""

from collections import defaultdict
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.accounts.rules import (
    ACCOUNT_FREE_TRIES,
    ACCOUNT_WAIT,
    FIRST_WAIT,
    FREE_TRIES,
    LONGEST_WAIT,
    OWN_TRIES,
    OWN_WAIT,
    SWARM_FREE_ACCOUNTS,
    Failures,
    Swarm,
    wait_before_next_try,
)
from tests.fakes import FakeClock

NOW = FakeClock()()
NONE, NOBODY = Failures(0, None), Swarm(0, None)
NO_WAIT = timedelta(0)
A_DAY = timedelta(days=1)

moments = st.timedeltas(min_value=NO_WAIT, max_value=A_DAY).map(lambda ago: NOW - ago)
failures = st.builds(Failures, st.integers(1, 100_000), moments) | st.just(NONE)
# One place against fewer accounts than make a swarm.
calm = st.builds(Swarm, st.integers(1, SWARM_FREE_ACCOUNTS - 1), moments) | st.just(NOBODY)


def waits(same: Failures, everywhere: Failures = NONE, from_here: Swarm = NOBODY) -> timedelta:
    return wait_before_next_try(same, everywhere, from_here, now=NOW)


@given(everywhere=failures, from_here=calm)
def test_whoever_failed_seldom_from_here_is_held_by_nobody_elsewhere(
    everywhere: Failures, from_here: Swarm
) -> None:
    for count in range(OWN_TRIES):
        same = Failures(count, NOW if count else None)
        assert waits(same, everywhere, from_here) == NO_WAIT


@given(same=failures, everywhere=failures, from_here=calm)
def test_what_others_do_holds_nobody_for_longer_than_some_hours_after_their_own_failure(
    same: Failures, everywhere: Failures, from_here: Swarm
) -> None:
    most = same.last_at + OWN_WAIT - NOW if same.last_at else NO_WAIT

    assert waits(same, everywhere, from_here) <= max(waits(same), most, NO_WAIT)


@given(same=failures, everywhere=failures, from_here=calm, more=st.integers(0, 1_000))
def test_more_failures_never_shorten_a_wait(
    same: Failures, everywhere: Failures, from_here: Swarm, more: int
) -> None:
    before = waits(same, everywhere, from_here)
    worse = Failures(same.count + more, same.last_at) if same.last_at else same
    most = Failures(everywhere.count + more, everywhere.last_at)

    assert waits(worse, everywhere, from_here) >= before
    assert waits(same, most if most.last_at else everywhere, from_here) >= before


@given(count=st.integers(0, 60))
def test_from_one_place_waits_double_to_a_quarter_of_an_hour(count: int) -> None:
    wait = waits(Failures(count, NOW if count else None))

    if count < FREE_TRIES:
        assert wait == NO_WAIT
    else:
        assert wait == min(FIRST_WAIT * 2 ** min(count - FREE_TRIES, 20), LONGEST_WAIT)


def test_an_account_under_attack_takes_one_try_a_minute_of_whoever_spent_their_own() -> None:
    a_moment_ago = NOW - timedelta(seconds=1)
    spent = Failures(OWN_TRIES, a_moment_ago)

    assert waits(spent, Failures(ACCOUNT_FREE_TRIES - 1, a_moment_ago)) == NO_WAIT
    assert waits(spent, Failures(ACCOUNT_FREE_TRIES, a_moment_ago)) == timedelta(seconds=59)
    later = Failures(OWN_TRIES, NOW - OWN_WAIT)
    assert waits(later, Failures(ACCOUNT_FREE_TRIES, a_moment_ago)) == NO_WAIT


def test_one_place_that_fails_at_many_accounts_waits_whichever_is_next() -> None:
    few, many = SWARM_FREE_ACCOUNTS - 1, SWARM_FREE_ACCOUNTS

    assert waits(NONE, NONE, Swarm(few, NOW)) == NO_WAIT
    assert waits(NONE, NONE, Swarm(many, NOW)) == LONGEST_WAIT
    assert waits(NONE, NONE, Swarm(many, NOW - LONGEST_WAIT)) == NO_WAIT


class Guesser:
    """Somebody with networks who guesses at one account, and is refused as the rules say."""

    def __init__(self) -> None:
        self.now = NOW
        self._own: dict[int, Failures] = defaultdict(lambda: NONE)
        self.all = NONE

    def guess(self, network: int) -> bool:
        """Try from a network; say whether that was let through, and failed."""
        own = self._own[network]
        if wait_before_next_try(own, self.all, NOBODY, now=self.now) > NO_WAIT:
            return False
        self._own[network], self.all = _one_more(own, self.now), _one_more(self.all, self.now)
        return True


def _one_more(before: Failures, now: datetime) -> Failures:
    return Failures(before.count + 1, now)


def most(networks: int, within: timedelta) -> int:
    """Return how many guesses the rules let through, as their docstring has it for a day."""
    own = OWN_TRIES + within // OWN_WAIT
    return ACCOUNT_FREE_TRIES + within // ACCOUNT_WAIT + 1 + networks * own


@settings(deadline=None)
@given(tries=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 600)), max_size=400))
def test_whatever_the_order_many_networks_guess_no_more_than_that(
    tries: list[tuple[int, int]],
) -> None:
    guesser = Guesser()
    for network, seconds in tries:
        guesser.guess(network)
        guesser.now += timedelta(seconds=seconds)

    networks = len({network for network, _seconds in tries})
    assert guesser.all.count <= most(networks, guesser.now - NOW)


def test_twenty_networks_that_never_rest_guess_no_more_than_that_in_a_day() -> None:
    guesser = Guesser()
    while guesser.now < NOW + A_DAY:
        for network in range(20):
            while guesser.guess(network):
                pass
        guesser.now += timedelta(seconds=30)

    assert guesser.all.count <= most(20, A_DAY) == 1_541 + 7 * 20
