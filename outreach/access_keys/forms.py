"""The form of a new access key."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from outreach.access_keys.rules import MOST_DAYS, last_day


class KeyForm(FlaskForm):
    """For which system, at which clinic, what for, until when."""

    name = StringField(
        _l("Name of the system"),
        filters=[lambda text: text.strip() if text else text],
        validators=[
            DataRequired(_l("Enter the name of the system.")),
            Length(max=80, message=_l("Use at most 80 characters.")),
        ],
    )
    clinic = SelectField(_l("Clinic"))
    purpose = StringField(
        _l("What it reads patients for"),
        filters=[lambda text: text.strip() if text else text],
        validators=[
            DataRequired(_l("Say what the system reads patients for.")),
            Length(max=200, message=_l("Use at most 200 characters.")),
        ],
    )
    last_day = DateField(_l("Last day"), validators=[InputRequired(_l("Enter a day."))])
    form_key = HiddenField(validators=[InputRequired(), Length(max=40)])

    def is_good(self, today: date) -> bool:
        """Say whether all is well, the last day too; ``today`` is the clinic's."""
        if not self.validate():
            return False
        latest = last_day(today, days=MOST_DAYS)
        if not today <= (self.last_day.data or latest) <= latest:
            words = _("Choose a day from today to %(day)s.", day=latest.isoformat())
            self.last_day.errors = [words]
        return not self.errors
