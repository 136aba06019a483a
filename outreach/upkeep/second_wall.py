"""PostgreSQL's row-level security: who the web's role may see, table by table.

The policies lie in the database since migration 0035 and do nothing until ``flask db web-role``
switches them on. A new table needs a line here, and in its migration the policy of the same
words: a test holds the two, and the schema, against each other.
"""

import logging
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from config import Config
from outreach import orm
from outreach.orm import Model
from outreach.seeing import ROLE_NAME

log = logging.getLogger(__name__)

POLICY = "second_wall"
POLICY_TO_READ = "second_wall_to_read"
_LOCK_SECONDS = 5

# Asked once a statement, not once a row: that is what the SELECT is for.
_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_CLINICS = (
    "((SELECT string_to_array(current_setting('outreach.clinics', true), ',')::int[])::int[])"
)
_NOBODY_YET = "(SELECT current_setting('outreach.reach', true) = 'sign-in')"
_STAFF = "(SELECT nullif(current_setting('outreach.staff', true), '')::int)"

_OWN_CLINIC = f"clinic_id = ANY {_CLINICS} OR {_FAR}"
_OWN_WORDS = f"staff_id = {_STAFF} OR {_FAR}"
_OWN_WISH = f"{_OWN_CLINIC} OR (clinic_id IS NULL AND staff_id = {_STAFF})"


def _through(parent: str, column: str) -> str:
    # The parent has a policy of its own: who does not see it finds none.
    return f"EXISTS (SELECT FROM {parent} WHERE {parent}.id = {column})"


# Tables whose rows are a clinic's without saying so in ``clinic_id``, or not only so.
_SPECIAL = {
    "clinic": f"id = ANY {_CLINICS} OR {_FAR}",
    "attempt_before": _through("attempt", "attempt_id"),
    "concern_alert": _through("concern", "concern_id"),
    "concern_step": _through("concern", "concern_id"),
    "low_sugar_answer": _through("concern", "concern_id"),
    "delivery_event": _through("message", "message_id"),
    "send_try": _through("message", "message_id"),
    "panel_proposal_line": _through("panel_proposal", "proposal_id"),
    "phone_event": _through("phone_call", "phone_call_id"),
    "risk_flag_review": _through("risk_flag", "flag_id"),
    "audit_link": _through("audit_event", "event_id"),
    "audit_event": f"{_OWN_CLINIC} OR clinic_id IS NULL",  # no right to change one
    "export": _OWN_WISH,
    "pulse_answer": _OWN_WORDS,
    "work_life_answer": _OWN_WORDS,
    "saved_list": _OWN_WISH,
    "support_request": _OWN_WORDS,
    "typed_form": _OWN_WORDS,
    "region_membership": _FAR,
    "unrecorded_text": _FAR,
}

# What can be seen beyond that, and not written: who could write a role would be what they like.
READ_ALSO: Mapping[str, str] = {
    "access_key": _NOBODY_YET,
    "emergency_access": _NOBODY_YET,
    "membership": f"clinic_id IS NULL OR {_NOBODY_YET}",
}

_ACCOUNT = "An account belongs to no clinic: its holder may work at several, and signs in to none."
_LIMITS = "Numbers about how somebody works, beside an account that belongs to no clinic."
_SAME_FOR_ALL = "The same for every clinic."
_RUNNING = "How the installation runs; names nobody."

# Tables without a policy, and why.
OPEN: Mapping[str, str] = {
    "alembic_version": _RUNNING,
    "audit_check": _RUNNING,
    "job_end": _RUNNING,
    "last_backup": _RUNNING,
    "planner_beat": _RUNNING,
    "planner_interruption": _RUNNING,
    "outbox_hold": _RUNNING,
    "sender_pace": _RUNNING,
    "search_backlog": "Ids of rows that are still to be indexed; who writes one must add it.",
    "hours_rule": _SAME_FOR_ALL,
    "instrument_permission": _SAME_FOR_ALL,
    "programme": _SAME_FOR_ALL,
    "programme_version": _SAME_FOR_ALL,
    "region": "Names of regions, the same for all.",
    "region_role": _ACCOUNT,
    "staff_member": _ACCOUNT,
    "staff_language": _LIMITS,
    "caller_profile": _LIMITS,
    "caller_shift": _LIMITS,
    "sign_in": _ACCOUNT,
    "sign_in_failure": "Hashes only; read before anybody is known.",
    "access_link": _ACCOUNT,
    "brake_count": "Hashes and numbers; of strangers too, who are of no clinic.",
    "authenticator": _ACCOUNT,
    "passkey": _ACCOUNT,
    "passkey_challenge": _ACCOUNT,
    "recovery_code": _ACCOUNT,
    "kept_search": "Words that somebody looked for, found by who they are.",
}

# What the web's role may do with a table where that is not all four.
RIGHTS = {
    "audit_event": "SELECT, INSERT",
    "audit_link": "SELECT",
    "alembic_version": "SELECT",
}
ALL_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"


class NoWall(RuntimeError):
    """The role can't be made or does not bind; the message says why."""


def policies() -> dict[str, str]:
    """Return, of each table that has a policy, on which condition a row is read and written."""
    own = {
        name: _OWN_CLINIC
        for name, table in Model.metadata.tables.items()
        if "clinic_id" in table.columns
    }
    return dict(sorted((own | _SPECIAL).items()))


def begin(config: Config) -> None:
    """Let the web of this process start, if its role exists and is bound.

    Where the database does not answer, ``/readyz`` asks again.

    Raises:
        NoWall: a request would see too much, or nothing.
    """
    if config.web_database_role is None:
        return
    engine = orm.make_engine(config.database_url)
    try:
        with engine.connect() as connection:
            words = trouble(connection, config.web_database_role)
    except OperationalError:
        log.warning("the database does not answer: the role of the web is looked at later")
    else:
        if words:
            raise NoWall(words)
    finally:
        engine.dispose()


def build(connection: Connection, role: str) -> None:
    """Make ``role`` if it is missing, give it what the web needs, and switch the policies on.

    Done again it changes nothing. A connection that commits each statement holds each table
    for a moment only. Whoever else reads the database, and owns no tables, sees no row afterwards.

    Raises:
        NoWall: the name is none, or the role is bound by no policy.
    """
    if not ROLE_NAME.fullmatch(role):
        raise NoWall("A role's name has small letters, digits and _, and begins with no digit.")
    connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    _make(connection, role)
    for each in _grants(connection, role):
        connection.exec_driver_sql(each)
    for each in _without_row_security(connection):
        connection.exec_driver_sql(f"ALTER TABLE {each} ENABLE ROW LEVEL SECURITY")
    found = _trouble(connection, role)
    if found:
        raise NoWall(found)


def take_down(connection: Connection) -> None:
    """Switch the policies off again, as they lay after the migration; the role stays."""
    connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    off = set(_without_row_security(connection))
    for each in policies():
        if each not in off:
            connection.exec_driver_sql(f"ALTER TABLE {each} DISABLE ROW LEVEL SECURITY")


def trouble(connection: Connection, role: str | None) -> str | None:
    """Return why the web can't run as ``role``, None where it can or no role is set."""
    if role is None or connection.dialect.name != "postgresql":
        return None
    return _trouble(connection, role)


def _trouble(connection: Connection, role: str) -> str | None:
    mend = f"Run: flask --app outreach db web-role {role}"
    found = connection.execute(
        text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = :role"),
        {"role": role},
    ).one_or_none()
    if found is None:
        return f"WEB_DATABASE_ROLE names a role {role} that does not exist. {mend}"
    if found.rolsuper or found.rolbypassrls:
        return f"No policy binds the role {role}: it is a superuser, or has BYPASSRLS."
    if not connection.scalar(_MAY_BECOME, {"role": role}):
        return f"The account of DATABASE_URL may not become {role}. {mend}"
    return _trouble_with_tables(connection, role, mend)


def _trouble_with_tables(connection: Connection, role: str, mend: str) -> str | None:
    owned = connection.scalars(_OWNED, {"role": role}).all()
    if owned:
        return f"No policy binds the role {role} on tables that it owns: {', '.join(owned)}."
    ours = {*policies(), *OPEN}
    unread = [each for each in connection.scalars(_UNREAD, {"role": role}) if each in ours]
    if unread:
        return f"The role {role} may not read {', '.join(unread)}. {mend}"
    if connection.scalar(_MAY_FORGE, {"role": role}):
        return f"The role {role} may change the audit trail. Revoke UPDATE and DELETE on it."
    missing = _without_policy(connection)
    if missing:
        return f"Tables without a policy: {', '.join(missing)}. Run: alembic upgrade head"
    off = _without_row_security(connection)
    if off:
        return f"Row-level security is off on {', '.join(off)}. {mend}"
    return None


# Before 16 whoever is a member may; from then on only whom it was granted so.
_MAY_BECOME = text("""
    SELECT pg_has_role(
        :role,
        CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END
    )
""")

_MAY_FORGE = text("SELECT has_table_privilege(:role, 'audit_event', 'UPDATE, DELETE')")

_UNREAD = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
      AND NOT has_table_privilege(:role, oid, 'SELECT')
    ORDER BY relname
""")

_OWNED = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
      AND pg_has_role(:role, relowner, 'USAGE')
    ORDER BY relname
""")


def _make(connection: Connection, role: str) -> None:
    there = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if not there:
        connection.exec_driver_sql(
            f'CREATE ROLE "{role}" NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'
        )
    if not connection.scalar(_MAY_BECOME, {"role": role}):
        connection.exec_driver_sql(f'GRANT "{role}" TO CURRENT_USER')


def _grants(connection: Connection, role: str) -> Iterator[str]:
    """Yield what gives ``role`` its rights, also on what later releases add."""
    schema = connection.scalar(text("SELECT current_schema()"))
    yield f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"'
    yield f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{role}"'
    for each in sorted([*policies(), *OPEN]):
        yield f'GRANT {RIGHTS.get(each, ALL_RIGHTS)} ON {each} TO "{role}"'
    to_come = f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{schema}" GRANT'
    yield f'{to_come} {ALL_RIGHTS} ON TABLES TO "{role}"'
    yield f'{to_come} USAGE, SELECT ON SEQUENCES TO "{role}"'


def _without_policy(connection: Connection) -> list[str]:
    query = text("SELECT tablename FROM pg_policies WHERE policyname = :policy")
    missing: set[str] = set()
    for policy, tables in ((POLICY, policies()), (POLICY_TO_READ, READ_ALSO)):
        missing.update(set(tables).difference(connection.scalars(query, {"policy": policy})))
    return sorted(missing)


def _without_row_security(connection: Connection) -> list[str]:
    query = text("""
        SELECT relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
          AND relrowsecurity
    """)
    on = set(connection.scalars(query))
    return [each for each in policies() if each not in on]
