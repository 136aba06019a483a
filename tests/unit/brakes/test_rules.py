"""Limits as they are written, and stretches of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.brakes.rules import (
    LIMITS,
    BadLimits,
    Braked,
    Limit,
    begin_of,
    limits_of,
    network_of,
    wait_of,
)

INSTANTS = st.integers(946684800, 4102444800).map(lambda at: datetime.fromtimestamp(at, UTC))


def test_a_setting_replaces_what_it_names_and_nothing_else() -> None:
    limits = limits_of("looks=300, searches=20")

    assert limits[Braked.LOOKS] == Limit(300, LIMITS[Braked.LOOKS].within)
    assert limits[Braked.SEARCHES] == Limit(20, LIMITS[Braked.SEARCHES].within)
    changed = {Braked.LOOKS, Braked.SEARCHES}
    assert all(limits[each] == LIMITS[each] for each in set(Braked) - changed)


@pytest.mark.parametrize("written", ["looks", "looks=", "looks=0", "looks=-1", "look=3", "looks=٣"])
def test_what_can_not_be_read_is_refused_with_the_names_there_are(written: str) -> None:
    with pytest.raises(BadLimits, match="RATE_LIMITS") as refused:
        limits_of(written)

    assert "searches" in str(refused.value)


@given(INSTANTS, st.sampled_from(list(Braked)))
def test_an_instant_lies_in_its_stretch_and_the_wait_leads_to_the_next(
    now: datetime, what: Braked
) -> None:
    limit = LIMITS[what]
    begun = begin_of(limit, now)

    assert begun <= now < begun + limit.within
    assert timedelta(0) < wait_of(limit, now) <= limit.within
    assert begin_of(limit, now + wait_of(limit, now)) == begun + limit.within


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_a_network_of_one_customer_is_one_place(address: str, network: str) -> None:
    assert network_of(address) == network
