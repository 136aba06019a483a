"""Which small groups a breakdown keeps to itself, so that nobody is recognised in it. Pure.

Source: domain.md E3, groups of fewer than 11 (the CMS cell size policy). A total stands beside
every breakdown, so a single hidden group could be had by subtraction; it never hides alone.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

FEWEST_SHOWN = 11
Key = TypeVar("Key", bound=Hashable)


def hidden(groups: Mapping[Key, int]) -> frozenset[Key]:
    """Return the groups to hide, given how many patients each has.

    Groups of 1 to 10 patients are hidden. Where the hidden ones together have fewer than
    FEWEST_SHOWN patients, which the total would tell, the next smallest hides with them until
    they have: so what can be worked out is never about fewer than 11 people. An empty group
    shows nobody and stays, unless everybody else is hidden too: then it would say that they are
    all in one group.
    """
    small = {key for key, count in groups.items() if 0 < count < FEWEST_SHOWN}
    if not small:
        return frozenset()
    others = sorted(
        (key for key, count in groups.items() if count >= FEWEST_SHOWN),
        key=lambda key: groups[key],
    )
    while others and (len(small) == 1 or sum(groups[key] for key in small) < FEWEST_SHOWN):
        small.add(others.pop(0))
    return frozenset(groups) if not others else frozenset(small)
