"""Commands about clinics and staff: ``flask clinics ...`` and ``flask staff ...``."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from flask import current_app

from outreach.accounts import access_links, passwords, sign_in, staff
from outreach.accounts.rules import LINK_LIVES, Role
from outreach.audit import trail
from outreach.commands import Commands
from outreach.db import db
from outreach.deps import deps
from outreach.errors import OutreachError
from outreach.factors import authenticator, passkeys, recovery

clinics = Commands("clinics", help="Look after clinics.")
people = Commands("staff", help="Look after staff.")


@clinics.command("add")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--zone", required=True, help="Time zone name, as America/Chicago.")
@click.option("--phone", required=True, help="Number that patients see, as +15125550100.")
def add_clinic(code: str, name: str, zone: str, phone: str) -> None:
    """Add a clinic."""
    try:
        staff.add_clinic(db.session, code, name, ZoneInfo(zone), phone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.ClickException(f"{zone!r} is not a time zone.") from error
    except OutreachError as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Added the clinic {code}.")


@people.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--clinic", "code", help="Code of the clinic; not for an administrator.")
@click.option("--language", "languages", multiple=True, default=["en"])
@click.password_option(help=f"At least {passwords.SHORTEST} characters.")
def add_staff(
    email: str, name: str, role: str, code: str | None, languages: list[str], password: str
) -> None:
    """Add a person with one role."""
    try:
        clinic = staff.clinic_by_code(db.session, code) if code else None
        new = staff.NewStaff(
            email, name, Role(role), clinic, clinic.zone if clinic else "UTC", tuple(languages)
        )
        hasher = current_app.extensions["password_hasher"]
        staff.add(
            db.session,
            new,
            password,
            hasher,
            by_staff_id=None,
            now=deps().clock(),
            breached_list=deps().config.breached_passwords,
        )
    except OutreachError as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Added {email} as {role}.")


@people.command("link")
@click.argument("email")
@click.option("--end-factors", is_flag=True, help="Also end their second factors, if lost.")
def make_link(email: str, *, end_factors: bool) -> None:
    """Print the path of a link by which somebody sets their password anew.

    For the only administrator who is locked out; everybody else gets theirs on a page.
    """
    person, now = sign_in.find(db.session, email), deps().clock()
    if person is None:
        raise click.ClickException(f"Nobody with an open account has the address {email}.")
    if end_factors:
        authenticator.end(db.session, person.id, now=now)
        passkeys.remove_all(db.session, person.id, now=now)
        recovery.end(db.session, person.id)
    token = access_links.make(db.session, person, by_staff_id=None, now=now)
    action = "link and factors ended by command" if end_factors else "link by command"
    trail.record(db.session, action, actor_id=None, now=now, about=("staff_member", person.id))
    db.session.commit()
    hours = int(LINK_LIVES.total_seconds() // 3600)
    click.echo(f"{deps().config.public_url or ''}/welcome/{token}  (once, for {hours} hours)")
