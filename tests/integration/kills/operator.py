"""An operator at an installation after a day's work, whose commands run in a process each."""

import shlex
import shutil
from pathlib import Path

from click.testing import Result
from sqlalchemy import Engine, select

from config import Config
from outreach import orm
from outreach.accounts.models import Clinic, StaffMember
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from tests.conftest import FAST_HASHER, KEYS_WRITTEN
from tests.integration.kills.databases import Marks, database_of
from tests.integration.kills.schedule import Schedule, job_names
from tests.integration.upkeep.conftest import NEW, written

PATIENTS = (
    b"mrn,given_name,family_name,date_of_birth,phone,time_zone,language,start_date\n"
    b"R900,Ines,Ortega,1971-02-03,+15125550133,America/Chicago,es,2026-11-23\n"
    b"R901,Luis,Ortega,1969-02-03,+15125550134,America/Chicago,es,2026-11-23\n"
)


class Operator:
    """Has an installation, another empty database, and a folder with a file of patients.

    What the day brought is done: every promise holds.
    """

    def __init__(self, schedule: Schedule, folder: Path, empty: Engine) -> None:
        self.schedule = schedule
        self.instance, self._kept = folder / "instance", folder / "kept_instance"
        for _time in range(2):
            for name in job_names():
                schedule.run(name)
        with orm.reading(), schedule.sessions() as session:
            clinic, manager = select(Clinic.code).limit(1), select(StaffMember.email).limit(1)
            self._names = {
                "clinic": session.scalars(clinic.order_by(Clinic.id)).one(),
                "manager": session.scalars(manager.order_by(StaffMember.id)).one(),
                "other": empty.url.render_as_string(hide_password=False),
                "folder": str(self.instance),
            }
        self._now = schedule.clock.now
        self._lay_files()
        schedule.forget()
        self.database, self.other = schedule.database, database_of(empty)
        self.database.keep()

    def _lay_files(self) -> None:
        self.instance.mkdir()
        (self.instance / "data_keys").write_text(f"{KEYS_WRITTEN}\n{written(NEW)}\n")
        (self.instance / "patients.csv").write_bytes(PATIENTS)
        shutil.copytree(self.instance, self._kept)

    def forget(self) -> None:
        """Let go of every connection: the next process has connections of its own."""
        self.schedule.forget()
        self.other.engine.dispose()

    def restore(self) -> None:
        """Put back every row and file."""
        self.forget()
        self.schedule.clock.now = self._now
        self.database.restore()
        self.other.restore()
        shutil.rmtree(self.instance)
        shutil.copytree(self._kept, self.instance)

    def backups(self) -> list[Path]:
        """Return the folders that look like backups."""
        return sorted(self.instance.glob("backups/outreach-*"))

    def marks(self) -> tuple[Marks, Marks]:
        """Return the marks of both databases."""
        return self.database.marks(), self.other.marks()

    def run(self, words: str) -> Result:
        """Run a command here; it leaves this process with the keys of its file."""
        url = self.schedule.engine.url.render_as_string(hide_password=False)
        environ = {"INSTANCE_PATH": str(self.instance), "DATABASE_URL": url}
        outside = Deps(Config.from_environment(environ), self.schedule.clock, self.schedule.gateway)
        app = create_app(outside)
        app.extensions["password_hasher"] = FAST_HASHER
        backup = max(self.backups(), default="none")
        named = words.format(backup=backup, **self._names)
        result = app.test_cli_runner().invoke(args=shlex.split(named))
        with app.app_context():
            db.engine.dispose()
        return result
