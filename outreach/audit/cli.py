"""Commands about the audit trail: ``flask audit ...``."""

import click

from outreach.audit import chain, keeping
from outreach.audit.chain import Head
from outreach.commands import Commands
from outreach.db import db
from outreach.deps import deps
from outreach.orm import reading

group = Commands("audit", help="Look after the audit trail.")


@group.command("verify")
@click.option("--link", type=click.IntRange(min=1), help="A link that was kept outside.")
@click.option("--digest", help="The digest of that link.")
def verify(link: int | None, digest: str | None) -> None:
    """Prove that no event of the trail was changed, removed or moved.

    The chain is held against a link that was kept outside, else against the end that the
    instance folder keeps.
    """
    if (link is None) != (digest is None):
        raise click.UsageError("Give --link and --digest together.")
    kept = keeping.read(keeping.kept_in(deps().config.instance_path))
    if link is not None and digest is not None:
        kept = Head(link, digest.lower())
    with reading(), db.sessionmaker() as session:
        proof = chain.prove(session, kept=kept)
    if proof.broken:
        click.echo(f"The chain is broken: {proof.broken}.")
        raise SystemExit(1)
    click.echo(f"The chain is whole: {proof.head.position} links, digest {proof.head.digest}.")
    click.echo(
        f"Link {kept.position}, kept outside the database, is in it."
        if kept
        else "No end of it is kept here, so nothing proves that nothing was cut off: run this where"
        " the scheduler runs, or with a link and its digest from a log."
    )
    if proof.unlinked:
        click.echo(f"Not linked yet: {proof.unlinked} events.")
