"""The form that asks for a file."""

from urllib.parse import parse_qsl

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField
from wtforms.validators import AnyOf, InputRequired, Length

from outreach.exports.rules import Content, Format


class FileForm(FlaskForm):
    """What a file is made of; ``query`` is the address of the list or report without its path."""

    content = HiddenField(validators=[AnyOf([each.value for each in Content])])
    format = HiddenField(_l("Format"), validators=[AnyOf([each.value for each in Format])])
    query = HiddenField(validators=[Length(max=4000)])
    form_key = HiddenField(validators=[InputRequired(), Length(max=40)])

    @property
    def params(self) -> MultiDict[str, str]:
        """The parameters of the list or report."""
        return MultiDict(parse_qsl(self.query.data or ""))
