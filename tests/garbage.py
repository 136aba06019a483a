"""Look through what stays for garbage now and then, and not all the time: a tenth of the run."""

import gc

OFTEN = 100  # tests
MANY = 20_000  # new objects, before the youngest are looked through: an app makes as many

_count = 0


def none_yet() -> None:
    """Call before tests are collected: nearly all that is loaded then stays."""
    gc.disable()


def seldom() -> None:
    """Call between two tests. What is there after a hundred of them is no garbage."""
    global _count  # noqa: PLW0603 - the collector is one for the process, too
    if _count % OFTEN == 0:
        gc.enable()
        gc.set_threshold(MANY, 10, 10)
        gc.collect()
        gc.freeze()
    _count += 1
