"""Forms of the safety net."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SubmitField, TextAreaField
from wtforms.validators import DataRequired, Length


class ConcernForm(FlaskForm):
    """Words on what was done or learned, and one of two buttons."""

    note = TextAreaField(
        _l("What was done or learned"),
        validators=[
            DataRequired(_l("Write what was done or learned.")),
            Length(max=4000, message=_l("Use at most 4,000 characters.")),
        ],
    )
    close = SubmitField(_l("Save and close"))
    keep = SubmitField(_l("Save, keep open"))
