"""Forms of the conversation by text."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import DataRequired, Length

from outreach.inbox.rules import LONGEST_BODY
from outreach.inbox.writing import Answer
from outreach.web.bounded import whole


class AnswerForm(FlaskForm):
    """An answer in one's own words."""

    words = TextAreaField(
        _l("Your answer"),
        validators=[
            DataRequired(_l("Write an answer first.")),
            Length(max=LONGEST_BODY, message=_l("This is longer than one text can be.")),
        ],
    )
    form_key = HiddenField(validators=[Length(max=40)])
    read_up_to = HiddenField(validators=[Length(max=20)])

    def to_answer(self) -> Answer:
        """Return what was written."""
        return Answer(
            self.words.data or "", self.form_key.data or "", whole(self.read_up_to.data) or 0
        )
