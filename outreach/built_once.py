"""Statements that are built once, for values that are told each time.

Building a statement takes ten times as long as sending it, and a call screen sends fifty.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from sqlalchemy import Executable, bindparam

S = TypeVar("S", bound=Executable)


def built_once(build: Callable[..., S]) -> Callable[..., tuple[S, Mapping[str, Any]]]:
    """Let ``build`` be called once, and each caller get its statement with their own values.

    ``session.scalars(*open_promises(patient_id))``, where ``open_promises`` is such a statement.

    Its arguments are parameters of the statement, by their names, and nothing else: each stands
    beside a column, which says its type. What changes the statement itself makes it another one:
    None, too, which as a parameter finds nothing. An UPDATE or DELETE says how objects that the
    session holds learn of it (``synchronize_session``); by itself it would not find them.
    """
    names = tuple(inspect.signature(build).parameters)
    built: list[S] = []

    @wraps(build)
    def with_values(*values: Any) -> tuple[S, Mapping[str, Any]]:
        if not built:  # twice, where two threads come at once, is no harm
            built.append(build(*map(bindparam, names)))
        return built[0], dict(zip(names, values, strict=True))

    return with_values
