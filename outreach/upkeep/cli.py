"""Commands for operators: ``flask check ...`` and ``flask db ...``."""

from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from outreach.db import db
from outreach.deps import deps
from outreach.orm import make_engine, reading
from outreach.upkeep import backups, copying, promises
from outreach.upkeep.backups import BackupTrouble
from outreach.upkeep.copying import CannotCopy

SHOWN = 20

check = AppGroup("check", help="Hold the promises of the product against the database.")
database = AppGroup("db", help="Look after the database.")


@check.command("invariants")
def invariants() -> None:
    """Say which promises the rows break, and which rows; exit 1 where there are any."""
    with reading(), db.sessionmaker() as session:
        found = promises.breaches(session, now=deps().clock())
    for breach in found:
        ids = ", ".join(map(str, breach.ids[:SHOWN]))
        click.echo(f"Broken: {breach.promise}. {len(breach.ids)} of {breach.table}: {ids}")
    if found:
        raise SystemExit(1)
    click.echo("Every promise holds.")


@database.command("backup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def backup(folder: Path) -> None:
    """Back the running database up into a new folder inside FOLDER."""
    outside = deps()
    try:
        made = backups.make(outside.config.database_url, folder, now=outside.clock())
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Backed up into {made}. Keep the instance folder's keys elsewhere.")


@database.command("restore")
@click.argument("backup", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(backup: Path) -> None:
    """Put BACKUP back where there is no database yet, and hold every promise against it.

    The address is that of DATABASE_URL, or the instance folder's. A backup of an older release
    is migrated afterwards: alembic upgrade head.
    """
    outside = deps()
    try:
        found = backups.restore(backup, outside.config.database_url, now=outside.clock())
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    rows = sum(found.rows.values())
    click.echo(f"Restored {rows:,} rows as of {found.made_at}, version {found.version}.")


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
    click.echo(f"Copied {copied:,} rows; counts, sums and texts agree.")
