"""What a file of a report is asked of: the clinic, the days, and the parameters of its page."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Actor, Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.errors import NotFound
from outreach.exports.rules import paper_size
from outreach.exports.rules.cells import Column, Table, Value
from outreach.patients.models import Patient
from outreach.pulse.rules import Telling
from outreach.reports.asked import Asked, Here
from outreach.reports.rules.period import Period

Choice = TypeVar("Choice", bound=enum.StrEnum)
OF_A_PATIENT = (
    Column("record_number", "The clinic's number of the patient."),
    Column("given_name", "Given name."),
    Column("family_name", "Family name."),
)


class NoSuchTable(NotFound):
    """The parameters name no table, or one that is hidden."""


@dataclass(frozen=True)
class Question:
    """``params`` are those of the page's address; ``made`` says when and for whom.

    ``telling``: what may be told of callers' own answers.
    """

    scope: Scope
    clinic: Clinic
    here: Here
    params: Mapping[str, Any]
    made: tuple[str, str]
    telling: Telling

    @property
    def is_of_manager(self) -> bool:
        """Whether it is asked by a manager of the clinic, not by who sees all of them."""
        return self.clinic.id in self.scope.clinic_ids

    @property
    def asked(self) -> Asked:
        """The question about the days from ``from_on`` to ``until_on``."""
        return asked_of(self.here, self.params)

    @property
    def paper(self) -> str:
        """The size of paper that the clinic prints on."""
        return paper_size(self.clinic.region)

    @property
    def day(self) -> date:
        """The day whose knowledge counts."""
        return date.fromisoformat(self.params["as_of"])

    def choice(self, kind: type[Choice], name: str, default: Choice | None = None) -> Choice:
        """Return a parameter as one of ``kind``.

        Raises:
            NoSuchTable: it is none of them.
        """
        typed = self.params.get(name)
        if typed is None and default is not None:
            return default
        try:
            return kind(typed or "")
        except ValueError as error:
            raise NoSuchTable("There is no such table.") from error

    def table(
        self, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Value]]
    ) -> Table:
        """Return a table that says what it was asked of."""
        about = [self.made, ("Clinic", self.clinic.name)]
        if "from_on" in self.params:
            about += [("Days", "{from_on} to {until_on}".format_map(self.params))]
        if "as_of" in self.params:
            about += [("As of the end of", str(self.params["as_of"]))]
        about += [
            (name, str(value))
            for name, value in self.params.items()
            if name not in ("clinic", "as_of", "from_on", "until_on")
        ]
        return Table(title, columns, rows, len(rows), about)


@dataclass(frozen=True)
class ListAsked:
    """A list of a page, asked by ``actor`` in the roles that the page is for.

    ``params`` are those of the page's address; ``made`` says when and for whom.
    """

    actor: Actor
    params: Mapping[str, Any]
    made: tuple[str, str]
    now: datetime

    @property
    def scope(self) -> Scope:
        """Whose records exist for them on that page."""
        return self.actor.scope

    def clinic(self, session: Session) -> Clinic:
        """Return the clinic that the address names."""
        return staff.clinic_in(session, self.scope, self.params.get("clinic"))

    def table(
        self,
        title: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Value]],
        total: int | None = None,
        about: Sequence[tuple[str, str]] = (),
    ) -> Table:
        """Return a table that says what it was asked of; ``total`` where rows are a stream."""
        if isinstance(rows, Sequence):
            total = len(rows)
        filters = [(name, str(value)) for name, value in self.params.items() if value]
        return Table(title, columns, rows, total, [self.made, *about, *filters])


def who_of(patient: Patient) -> tuple[str, str, str]:
    """Return a patient as OF_A_PATIENT names them."""
    return patient.record_number, patient.given_name, patient.family_name


def on_clock(instant: datetime | None, zone: str | ZoneInfo) -> datetime | None:
    """Return the wall clock at an instant, without its zone: files have none."""
    if instant is None:
        return None
    there = zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone)
    return instant.astimezone(there).replace(tzinfo=None, microsecond=0)


def asked_of(here: Here, params: Mapping[str, Any]) -> Asked:
    """Return the question about some days, as of the end of an earlier one where it says so."""
    first, last = (date.fromisoformat(params[name]) for name in ("from_on", "until_on"))
    asked = here.about(Period(first, last))
    return asked.as_of(date.fromisoformat(params["as_of"])) if "as_of" in params else asked


def who(
    session: Session, question: Question, ids: Sequence[int]
) -> Mapping[int, tuple[Value, ...]]:
    """Return record number and names of those patients of the clinic who are seen."""
    rows = session.execute(
        select(Patient.id, Patient.record_number, Patient.given_name, Patient.family_name)
        .where(
            Patient.clinic_id == question.clinic.id,
            visible(question.scope, Patient.clinic_id, Patient.id),
            among(Patient.id, sorted(set(ids))),
        )
        .order_by(Patient.id)
    )
    return {patient_id: tuple(rest) for patient_id, *rest in rows}
