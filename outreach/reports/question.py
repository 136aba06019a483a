"""What the address of a report asks for, read against what its reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import SelectChoice

from outreach.accounts import staff
from outreach.accounts.access import signed_in
from outreach.accounts.models import Clinic
from outreach.deps import deps
from outreach.patients import finding
from outreach.reports.asked import Asked, Here
from outreach.reports.breakdown import Dimension
from outreach.reports.forms import AdherenceForm, PeriodForm
from outreach.reports.rules.period import PRESET_DAYS, Period, last_days


@dataclass(frozen=True)
class Question:
    """What the address asks for, read against what the reader may see."""

    clinics: list[Clinic]
    clinic: Clinic
    form: PeriodForm
    asked: Asked

    @property
    def as_of(self) -> date | None:
        """The earlier day as of whose end is told what was known; None: what is known now."""
        return self.asked.as_of_day

    @property
    def address(self) -> dict[str, Any]:
        """What every link of the page carries."""
        period = self.asked.period
        days = {"from_on": period.from_on.isoformat(), "until_on": period.until_on.isoformat()}
        return {"clinic": self.clinic.code, **days, "as_of": self.as_of}

    @property
    def presets(self) -> dict[int, Period]:
        """Stretches that are often asked for, by their days."""
        return {days: last_days(days, today=self.asked.today) for days in PRESET_DAYS}


def question_of(session: Session, typed: MultiDict[str, str]) -> Question:
    """Read the address: which days, and perhaps as of the end of which earlier one."""
    clinics, clinic, here = _clinics(session, typed)
    form = AdherenceForm(typed)
    _offer(form, clinics, clinic)
    day = form.known_until(today=here.today)
    trouble = list(form.as_of.errors)
    asked = here.about(form.chosen_as_of(day, today=here.today)).as_of(day)
    if trouble:  # choosing the days validated the form again
        form.as_of.errors = trouble
    return Question(clinics, clinic, form, asked)


def _clinics(session: Session, typed: MultiDict[str, str]) -> tuple[list[Clinic], Clinic, Here]:
    now, scope = deps().clock(), finding.managing(signed_in())
    clinic = staff.clinic_in(session, scope, typed.get("clinic"))
    return list(staff.clinics_in(session, scope)), clinic, Here.of(scope, clinic, now=now)


def _offer(form: PeriodForm, clinics: Sequence[Clinic], clinic: Clinic) -> None:
    form.clinic.choices = [SelectChoice(each.code, each.name) for each in clinics]
    form.clinic.data = clinic.code


def group_in(typed: MultiDict[str, str]) -> tuple[Dimension, str] | None:
    """Return the group that an address names, None for everybody."""
    by, key = typed.get("by"), typed.get("group")
    return None if by is None or key is None else (dimension_in(by), key)


def dimension_in(typed: str | None, default: Dimension = Dimension.CALLER) -> Dimension:
    """Return what an address breaks the report down by."""
    try:
        return Dimension(typed or default)
    except ValueError:
        abort(404)
