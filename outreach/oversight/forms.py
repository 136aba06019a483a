"""The form that asks the audit trail."""

from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from outreach.oversight.events import Asked, patients_of

SHOWN_DAYS = 30


class AuditForm(FlaskForm):
    """Patient, person and days. Posted: a record number never stands in an address."""

    record_number = StringField(_l("Record number of the patient"), validators=[Length(max=60)])
    staff = StringField(
        _l("Name or e-mail address of staff, or name of a system"), validators=[Length(max=120)]
    )
    from_on = DateField(_l("From"), validators=[InputRequired(_l("Enter a day."))])
    until_on = DateField(_l("Until"), validators=[InputRequired(_l("Enter a day."))])
    only_looks = BooleanField(_l("Only who looked at patients"))

    def validate_until_on(self, field: DateField) -> None:
        """Refuse days in the wrong order."""
        if field.data and self.from_on.data and field.data < self.from_on.data:
            raise ValidationError(_("The last day is before the first."))

    def asked(self, session: Session, zone: str, today: date) -> Asked:
        """Return what is asked; the last days where the form says nothing that makes sense."""
        from_on = self.from_on.data or today - timedelta(days=SHOWN_DAYS - 1)
        until_on = self.until_on.data or today
        if self.errors or not self.is_submitted():
            from_on, until_on = today - timedelta(days=SHOWN_DAYS - 1), today
        return Asked(
            from_on,
            until_on,
            ZoneInfo(zone),
            patients_of(session, (self.record_number.data or "").strip()),
            (self.staff.data or "").strip(),
            only_looks=bool(self.only_looks.data),
        )

    @property
    def query(self) -> str:
        """The question as a file of its answer is asked for: what an address would say."""
        said = {
            "record_number": self.record_number.data,
            "staff": self.staff.data,
            "from_on": self.from_on.data,
            "until_on": self.until_on.data,
            "only_looks": "y" if self.only_looks.data else None,
        }
        return urlencode({name: value for name, value in said.items() if value})


class EmergencyForm(FlaskForm):
    """Which patient an administrator opens, and why."""

    clinic = SelectField(_l("Clinic"))
    record_number = StringField(
        _l("Record number of the patient"),
        validators=[InputRequired(_l("Enter the record number.")), Length(max=60)],
    )
    reason = StringField(
        _l("Why you need to see this patient"),
        validators=[
            InputRequired(_l("Say why.")),
            Length(min=10, max=500, message=_l("Say why, in 10 to 500 characters.")),
        ],
    )
