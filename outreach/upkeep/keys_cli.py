"""Commands for operators: ``flask keys ...``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from config import READ_ONLY, Config, make_data_key, new_data_key, replace_secret, to_disk
from outreach import sealing
from outreach.commands import Commands, Needs
from outreach.db import db
from outreach.deps import deps
from outreach.encryption import Cipher, key_of
from outreach.orm import reading
from outreach.upkeep import cli, fitting, forgetting, look_up_key, rotating

SHOWN = 20

keys = Commands("keys", help="Look after the keys that values are encrypted with.")


@keys.command("list", needs=Needs.ANY_RELEASE)
def list_keys() -> None:
    """Show every key, how many values name it, and whether it encrypts new ones."""
    config = deps().config
    known = [key_id for key_id, _secret in config.data_keys]
    with reading(), db.engine.connect() as connection:
        kept = look_up_key.kept(connection)
        read = rotating.count_by_key(connection, looked_up=False)
        found = rotating.count_by_key(connection, looked_up=True)
        in_clear = rotating.count_in_clear(connection)
    if kept:
        count, by = found.pop(kept.id, 0), key_of(kept.secret)
        click.echo(f"{kept.id}: {count:,} values. Encrypts what is looked up. Sealed with {by}.")
    for key_id in known:
        does = " Encrypts new values." if key_id == config.encrypting_key else ""
        does += " Encrypts what is looked up." if not kept and key_id == known[0] else ""
        click.echo(f"{key_id}: {read.pop(key_id, 0) + found.pop(key_id, 0):,} values.{does}")
    if in_clear:
        click.echo(f"In clear: {in_clear:,} values, until 'keys reseal'.")
    for key_id in sorted({*read, *found}):
        count = read.get(key_id, 0) + found.get(key_id, 0)
        click.echo(f"{key_id}: {count:,} values. THIS KEY IS NOT HERE.")
    if read or found:
        raise SystemExit(1)


@keys.command("add", needs=Needs.ANY_RELEASE)
def add_key() -> None:
    """Add a new key. It only reads until 'keys use', so that every process can learn it first."""
    config = deps().config
    if not config.data_keys:
        return _make_first(config)
    written = f"{new_data_key()}:{READ_ONLY}"
    if config.data_key_file is None:
        click.echo(f"Add this at the end of DATA_KEYS, after a comma: {written}")
        click.echo(_THEN_USE)
        return None
    file = config.data_key_file
    _write_keys(file, [*_lines(file), written])
    key_id = written.partition(":")[0]
    click.echo(f"Added {key_id} to {file}. Keep a copy of the file.")
    return click.echo(_THEN_USE)


_THEN_USE = "Restart every process, on every machine, so that all can read by it. Then: keys use"


@keys.command("use", needs=Needs.ANY_RELEASE)
def use_key() -> None:
    """Let the newest key encrypt new values, once every process knows it."""
    config = deps().config
    newest = config.data_keys[-1][0] if config.data_keys else None
    if newest == config.encrypting_key:
        raise click.ClickException("The newest key encrypts already. Add another first.")
    if config.data_key_file is None:
        click.echo(f"Take :{READ_ONLY} off {newest} in DATA_KEYS, then restart every process.")
        return
    lines = [line.removesuffix(f":{READ_ONLY}") for line in _lines(config.data_key_file)]
    _write_keys(config.data_key_file, lines)
    click.echo(f"{newest} encrypts from now on. Restart every process, one after the other.")


@keys.command("reseal")
def reseal() -> None:
    """Encrypt with the newest key what is only read; while everything runs, again and again.

    Names, addresses and numbers of staff and clinics from before they were encrypted too, and
    what told patients' names is forgotten: once no process of the release before is left.
    """
    _reseal()


def _reseal() -> None:
    done = rotating.reseal(db.sessionmaker, sealing.cipher())
    forgetting.forget(db.sessionmaker)
    click.echo(f"Encrypted {done.count:,} values with the newest key.")
    _tell_unreadable(done.unreadable)
    if done.unreadable:
        raise SystemExit(1)


@keys.command("retire")
@click.option(
    "--everything-is-stopped", is_flag=True, help="Nothing else runs: change what looks up, too."
)
def retire(*, everything_is_stopped: bool) -> None:
    """Take the oldest key out, once all that it encrypted has moved to the newest.

    While everything runs. What is looked up keeps the key that the database keeps. After a theft
    of a database together with its keys that one is to be another, too: stop every process,
    and start none before this has ended well.
    """
    config = deps().config
    if len(config.data_keys) == 1 or config.encrypting_key == config.data_keys[0][0]:
        raise click.ClickException("No other key encrypts. Add one, and use it, first.")
    if everything_is_stopped:
        _retire_both(config)
    else:
        _retire_oldest(config)


def _retire_oldest(config: Config) -> None:
    oldest = fitting.data_keys(config)[0]
    with db.sessionmaker.begin() as session:
        if look_up_key.keep(session, oldest, now=deps().clock()):
            click.echo(f"{oldest.id} is kept in the database, sealed: it goes on looking up.")
    _reseal()
    with reading(), db.engine.connect() as connection:
        left = rotating.count_by_key(connection, looked_up=False).get(oldest.id, 0)
    if left:
        raise click.ClickException(
            f"{left:,} values name {oldest.id} yet: a process writes by it that was not restarted"
            " after 'keys use'. Restart that, then run this again."
        )
    _take_out(config, oldest.id)
    click.echo("Restart every process, one after the other.")


def _retire_both(config: Config) -> None:
    """Move all to other keys. Cut off, it is run again: no process starts before."""
    known, oldest = fitting.data_keys(config), config.data_keys[0][0]
    fresh = look_up_key.new()
    remaining = Cipher(known[1:], config.encrypting_key, looking_up=fresh)
    sealing.use(config.data_keys, config.encrypting_key)  # also where they don't fit any more
    begun = fitting.marker(config)
    begun.write_text(f"{oldest}\n")
    to_disk(begun)
    try:
        with db.sessionmaker.begin() as session:
            now_in_use = look_up_key.of(session.connection(), known)
            cipher = Cipher(known, config.encrypting_key, looking_up=now_in_use)
            moved = rotating.retire(session, cipher, remaining)
            look_up_key.replace(session, fresh, now=deps().clock())
    except rotating.CannotMove as error:
        begun.unlink()
        _tell_unreadable(error.unreadable)
        raise click.ClickException(f"Nothing was moved; {oldest} stays.") from error
    click.echo(f"Moved {moved:,} values. Nothing uses {oldest} any more.")
    _take_out(config, oldest)
    begun.unlink()
    click.echo("Then start again.")
    cli.compact_database()


def _take_out(config: Config, oldest: str) -> None:
    if config.data_key_file is None:
        click.echo(f"Now take {oldest} out of DATA_KEYS. Keep it for old backups.")
        return
    lines = [line for line in _lines(config.data_key_file) if not line.startswith(f"{oldest}:")]
    _write_keys(config.data_key_file, lines)
    click.echo(f"Took {oldest} out of {config.data_key_file}. Keep it for old backups.")


def _make_first(config: Config) -> None:
    """Make the key of an installation that never had one, though it has patients."""
    if config.data_key_file is None:
        raise click.ClickException("There is no key.")
    with reading(), db.engine.connect() as connection:
        used = fitting.key_in_use(connection)
    if used:
        raise click.ClickException(
            f"The database is encrypted with the key {used}: put the copy of the data keys back."
        )
    make_data_key(config.data_key_file)
    click.echo(f"Made {config.data_key_file}. Keep a copy of the file.")


def _tell_unreadable(unreadable: Mapping[str, Sequence[int]]) -> None:
    for table, ids in unreadable.items():
        shown = ", ".join(map(str, sorted(set(ids))[:SHOWN]))
        click.echo(f"Can't be decrypted: {len(set(ids)):,} of {table}: {shown}", err=True)


def _lines(file: Path) -> list[str]:
    return file.read_text().replace(",", "\n").split()


def _write_keys(file: Path, lines: Sequence[str]) -> None:
    replace_secret(file, "\n".join(lines) + "\n")
