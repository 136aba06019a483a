"""The directory of all clinics, as tests ask it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.searching.directory import Directory


def everywhere(session: Session) -> Directory:
    """Return the names at every clinic as they are in the transaction of ``session``."""
    return Directory(session, session.scalars(select(Clinic.id)).all())
