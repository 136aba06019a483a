"""Groups of commands for operators, who are told in words when the database is not the right one.

A command that is run without the settings of the installation looks for its database elsewhere:
it must not end in the midst of our code, nor seem to have done what it did to nothing.
"""

from collections.abc import Callable
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from outreach import versions
from outreach.db import db
from outreach.orm import reading

Command = Callable[..., object]


class Needs(Enum):
    """What a command needs of the database."""

    THIS_RELEASE = "tables of this release, or of a newer one"
    ANY_RELEASE = "tables of ours"
    NOTHING = "nothing: it makes one"


class Commands(AppGroup):
    """A group whose commands begin only on a database of ours that is as ``needs`` says."""

    def command(  # type: ignore[override]
        self, *names: Any, needs: Needs = Needs.THIS_RELEASE, **options: Any
    ) -> Callable[[Command], click.Command]:
        """Return what makes a function a command of this group."""
        make = super().command(*names, **options)

        def decorate(function: Command) -> click.Command:
            begun = function if needs is Needs.NOTHING else _once_it_is_right(function, needs)
            made: click.Command = make(begun)
            return made

        return decorate


def trouble(engine: Engine, needs: Needs) -> str | None:
    """Return why a command that needs so much can't run on the database, None where it can."""
    file = engine.url.database
    if engine.dialect.name == "sqlite" and file and not Path(file).exists():
        return f"There is no database at {file}."
    try:
        with reading(), engine.connect() as connection:
            words = versions.trouble(connection)
            return words if needs is Needs.THIS_RELEASE or not versions.of(connection) else None
    except SQLAlchemyError:
        return "The database does not answer."


def _once_it_is_right(function: Command, needs: Needs) -> Command:
    @wraps(function)
    def run(*arguments: Any, **options: Any) -> object:
        if words := trouble(db.engine, needs):
            where = db.engine.url.render_as_string(hide_password=True)
            raise click.ClickException(f"{words} {_ASK.format(where=where)}")
        return function(*arguments, **options)

    return run


_ASK = (
    "Is {where} the database that you mean? A command needs the settings of the installation:"
    " see Commands in docs/operations.md."
)
