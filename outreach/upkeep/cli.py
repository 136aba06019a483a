"""Commands for operators: ``flask check ...`` and ``flask db ...``."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from outreach.audit import keeping
from outreach.commands import Commands, Needs
from outreach.db import db
from outreach.deps import deps
from outreach.orm import make_engine, one_picture, reading
from outreach.upkeep import backups, compacting, copying, promises, second_wall
from outreach.upkeep.backups import BackupTrouble
from outreach.upkeep.compacting import CannotCompact
from outreach.upkeep.copying import CannotCopy

SHOWN = 20

check = Commands("check", help="Hold the promises of the product against the database.")
database = Commands("db", help="Look after the database.")


@check.command("invariants")
@click.option("--every-value", is_flag=True, help="Decrypt all values, not only the newest.")
def invariants(*, every_value: bool) -> None:
    """Say which promises the rows break, and which rows; exit 1 where there are any."""
    with reading(), db.sessionmaker() as session:
        one_picture(session)
        kept = keeping.read(keeping.kept_in(deps().config.instance_path))
        found = promises.breaches(session, now=deps().clock(), every_value=every_value, kept=kept)
    for breach in found:
        ids = ", ".join(map(str, breach.ids[:SHOWN]))
        click.echo(f"Broken: {breach.promise}. {len(breach.ids)} of {breach.table}: {ids}")
    if found:
        raise SystemExit(1)
    click.echo("Every promise holds.")


@database.command("backup", needs=Needs.ANY_RELEASE)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    help="Then delete backups in FOLDER that are older than so many days.",
)
def backup(folder: Path, keep_days: int | None) -> None:
    """Back the running database up into a new folder inside FOLDER."""
    outside = deps()
    now = outside.clock()
    try:
        made = backups.make(outside.config.database_url, folder, now=now)
        click.echo(f"Backed up into {made}. Keep the instance folder's keys elsewhere.")
        if keep_days is not None:
            count = backups.delete_older(folder, than=timedelta(days=keep_days), now=now)
            click.echo(f"Deleted {count} backups older than {keep_days} days.")
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.strerror}: {error.filename or folder}.") from error
    except sqlite3.Error as error:  # a full disk, as SQLite says it
        raise click.ClickException(f"{error}: {folder}.") from error


@database.command("restore", needs=Needs.NOTHING)
@click.argument("backup", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(backup: Path) -> None:
    """Put BACKUP back where there is no database yet, and hold every promise against it.

    The address is that of DATABASE_URL, or the instance folder's. A backup of an older release
    is migrated afterwards: alembic upgrade head.
    """
    outside = deps()
    try:
        found = backups.restore(
            backup,
            outside.config.database_url,
            now=outside.clock(),
            key_ids=[key_id for key_id, _secret in outside.config.data_keys],
        )
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    keeping.set_aside(keeping.kept_in(outside.config.instance_path))
    rows = sum(found.rows.values())
    click.echo(f"Restored {rows:,} rows as of {found.made_at}, version {found.version}.")


@database.command("hold-texts")
@click.argument("backup", type=click.Path(path_type=Path, exists=True, file_okay=False))
def hold_texts(backup: Path) -> None:
    """Let texts wait after BACKUP was put back and migrated; scripts/restore does this."""
    try:
        with db.sessionmaker.begin() as session:
            backups.hold_texts(session, backup, now=deps().clock())
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    click.echo("Texts wait until 'flask messages reconcile' has asked the carrier what went out.")


@database.command("copy")
@click.argument("target")
def copy(target: str) -> None:
    """Copy every row into the empty, migrated database at TARGET, and prove the copy.

    TARGET is an address such as postgresql+psycopg://user@host/name. Stop the web processes
    and schedulers first: what is written meanwhile is not in the copy.
    """
    engine = make_engine(target)
    try:
        with reading(), db.engine.connect() as source, engine.connect() as other:
            copied = copying.copy(source, other, tell=click.echo)
    except CannotCopy as error:
        raise click.ClickException(str(error)) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"Nothing was copied: {type(error).__name__}.") from error
    finally:
        engine.dispose()
    click.echo(f"Copied {copied:,} rows; every value is the same there.")


@database.command("web-role")
@click.argument("role", required=False)
@click.option("--remove", is_flag=True, help="Switch row-level security off; the role stays.")
def web_role(role: str | None, *, remove: bool) -> None:
    """Make ROLE, to which row-level security binds the web; can be run again, while all runs.

    Then set WEB_DATABASE_ROLE and restart the web. Take that setting out before --remove.
    Without ROLE it is the one that WEB_DATABASE_ROLE names, and nothing is done if that is none.
    """
    role = role or deps().config.web_database_role
    if role is None and not remove:
        click.echo("WEB_DATABASE_ROLE names no role: row-level security stays as it is.")
        return
    if db.engine.dialect.name != "postgresql":
        raise click.ClickException("Row-level security is PostgreSQL's.")
    each_by_itself = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with each_by_itself.connect() as connection:
            if role is None or remove:
                second_wall.take_down(connection)
            else:
                second_wall.build(connection, role)
    except second_wall.NoWall as error:
        raise click.ClickException(str(error)) from error
    except ProgrammingError as error:
        raise click.ClickException(_MAKE_IT.format(role=role)) from error
    except OperationalError as error:
        raise click.ClickException("A table was in use for too long. Run it again.") from error
    if remove:
        click.echo("Row-level security is off.")
    else:
        click.echo(f"Row-level security is on. Set WEB_DATABASE_ROLE={role}, restart the web.")


_MAKE_IT = (
    "The account of DATABASE_URL may not make roles, or does not own the tables. Let a superuser"
    " run: CREATE ROLE {role} NOLOGIN; GRANT {role} TO the account of DATABASE_URL. Run it again."
)


@database.command("compact")
def compact() -> None:
    """Write the database anew, so that no deleted or replaced value is left in its file.

    Nothing else may run meanwhile. Needs room for a second copy.
    """
    compact_database()
    click.echo("Wrote the database anew.")


def compact_database() -> None:
    """Write the database anew, or end the command with why not."""
    try:
        compacting.compact(db.engine)
    except CannotCompact as error:
        raise click.ClickException(str(error)) from error
