"""Commands for operators: ``flask messages ...``."""

from datetime import UTC

import click

from outreach.commands import Commands
from outreach.db import db
from outreach.deps import deps
from outreach.errors import ProviderUnavailable
from outreach.messaging import holding
from outreach.orm import reading

group = Commands("messages", help="Look after texts.")


@group.command("reconcile")
@click.option(
    "--nothing-was-sent",
    is_flag=True,
    help="You know that no text went out since the backup; the carrier is not asked.",
)
def reconcile(*, nothing_was_sent: bool) -> None:
    """Open the outbox after a restore, once it is known what went out since the backup."""
    outside = deps()
    with reading(), db.sessionmaker() as session:
        hold = holding.current(session)
    if hold is None:
        click.echo("The outbox is open. There is nothing to do.")
        return
    if nothing_was_sent:
        with db.sessionmaker.begin() as session:
            holding.state_nothing_was_sent(session, now=outside.clock())
        click.echo("The outbox is open, on your word that nothing was sent.")
        return
    try:
        listed = outside.gateway.list_sms(since=hold.since - holding.MARGIN)
    except ProviderUnavailable as error:
        raise click.ClickException(
            f"The carrier's list can't be had ({error}). The outbox stays closed."
        ) from error
    with db.sessionmaker.begin() as session:
        kept = holding.reconcile(session, listed, now=outside.clock())
    since = hold.since.astimezone(UTC)
    click.echo(
        f"The carrier lists {len(listed)} texts since {since:%Y-%m-%d %H:%M} UTC, {kept} of them "
        "unknown here. They won't go out again. The outbox is open."
    )
    click.echo("Texts that came in since the backup are not fetched: see docs/operations.md.")
