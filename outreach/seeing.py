"""Whose rows PostgreSQL lets a transaction see: the second wall, behind ``accounts.scoping``.

With a role for the web, each transaction of a request takes that role and says whose clinics
it is for; the policies of ``upkeep.second_wall`` show it no other row. Jobs and commands say
nothing and stay the owner, whom no policy binds. On SQLite nothing happens.
"""

import enum
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

# As PostgreSQL keeps a name that nobody wrote in quotes.
ROLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_KEPT_AS = "outreach.sees"  # in ``Connection.info``


class Reach(enum.StrEnum):
    """How far a transaction sees beyond the clinics that it names."""

    CLINICS = "clinics"  # no further
    SIGN_IN = "sign-in"  # nobody is known yet: accounts, and no clinic's rows
    CARRIER = "carrier"  # the carrier reports: whose text or call it is shows only when found
    EVERY_CLINIC = "every clinic"  # administrators, auditors, and what names its reason


@dataclass(frozen=True)
class Sees:
    """Whose rows exist for a transaction: by default nobody's."""

    clinic_ids: frozenset[int] = frozenset()
    staff_id: int | None = None
    reach: Reach = Reach.CLINICS


NOTHING = Sees()


def bind(engine: Engine, role: str, asked: Callable[[], Sees | None]) -> None:
    """Let every transaction of ``engine`` begin as ``role``, within what ``asked`` returns.

    Where it returns None, nobody is at a keyboard: the transaction stays the owner's.
    """

    def begin(connection: Connection) -> None:
        sees = asked()
        connection.info[_KEPT_AS] = sees
        if sees is not None:
            _say(connection, sees, role)

    event.listen(engine, "begin", begin)


def narrow(session: Session, sees: Sees) -> None:
    """Let the transaction that ``session`` is in, if any, go on within ``sees``.

    For a request that found out who asks only after its transaction had begun.
    """
    if session.in_transaction() and session.is_active:
        connection = session.connection()
        if connection.info.get(_KEPT_AS) is not None:
            connection.info[_KEPT_AS] = sees
            _say(connection, sees)


@contextmanager
def every_clinic(session: Session, reason: str) -> Iterator[None]:
    """See the rows of every clinic meanwhile; ``reason`` says to the reader why.

    For the few questions that no clinic can answer alone. It holds for one transaction.
    """
    if not reason:
        raise ValueError("Who looks over clinics says why.")
    connection = session.connection()
    sees: Sees | None = connection.info.get(_KEPT_AS)
    if sees is None or sees.reach is Reach.EVERY_CLINIC:
        yield
        return
    session.flush()
    _say(connection, replace(sees, reach=Reach.EVERY_CLINIC))
    try:
        yield
        session.flush()
    finally:
        with suppress(DBAPIError):  # a transaction that failed sees nothing any more
            _say(connection, sees)


def _say(connection: Connection, sees: Sees, role: str | None = None) -> None:
    """Tell PostgreSQL, until the transaction ends, in one statement."""
    said = {
        "role": role,
        "clinics": ",".join(map(str, sorted(sees.clinic_ids))),
        "staff": str(sees.staff_id or ""),
        "reach": sees.reach.value,
    }
    connection.exec_driver_sql(_TAKE_AND_SAY if role else _SAY, said)


_CLAIMS = """
    set_config('outreach.clinics', %(clinics)s, true),
    set_config('outreach.staff', %(staff)s, true),
    set_config('outreach.reach', %(reach)s, true)"""
_SAY = f"SELECT {_CLAIMS}"
_TAKE_AND_SAY = f"SELECT set_config('role', %(role)s, true), {_CLAIMS}"
