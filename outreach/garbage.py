"""Where Python looks for garbage: among what work leaves behind, not among what is loaded."""

import gc

from sqlalchemy.orm import configure_mappers

# A page makes some thousands of objects that end with it by themselves; by default Python looks
# through all of them several times a page, and now and then through everything: 0.12 s at rest,
# 0.4 s on a busy machine, in which no thread of the process goes on.
OBJECTS_BEFORE_A_LOOK = 20_000
LOOKS_BEFORE_A_LONGER_ONE = 20


def leave_what_is_loaded() -> None:
    """Finish loading, and never again look for garbage among what is loaded by now.

    What is not looked at also stays shared between a process and those that it becomes.
    """
    configure_mappers()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_A_LOOK, LOOKS_BEFORE_A_LONGER_ONE, LOOKS_BEFORE_A_LONGER_ONE)
    gc.enable()
