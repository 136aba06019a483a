"""Commands about clinics and staff: ``flask clinics ...`` and ``flask staff ...``."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from flask import current_app
from flask.cli import AppGroup

from outreach.accounts import passwords, staff
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.errors import OutreachError

clinics = AppGroup("clinics", help="Look after clinics.")
people = AppGroup("staff", help="Look after staff.")


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
        staff.add(db.session, new, password, hasher, now=deps().clock())
    except OutreachError as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Added {email} as {role}.")
