"""The form that takes a file."""

from collections.abc import Sequence
from typing import BinaryIO

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from wtforms import SelectChoice, SelectField
from wtforms.validators import ValidationError

from outreach.accounts.models import Clinic

MOST_FILES = 20


class UploadForm(FlaskForm):
    """Which files, for which clinic. With one clinic there is nothing to choose."""

    clinic = SelectField(_l("Clinic"))
    files = MultipleFileField(_l("File"))

    def offer(self, clinics: Sequence[Clinic]) -> "UploadForm":
        """Let one of ``clinics`` be chosen; return the form."""
        if len(clinics) == 1:
            del self.clinic
        else:
            self.clinic.choices = [SelectChoice(each.code, each.name) for each in clinics]
        return self

    def validate_files(self, _field: MultipleFileField) -> None:
        """Ask for one file at least, and not too many."""
        if not self.chosen:
            raise ValidationError(_l("Choose a file."))
        if len(self.chosen) > MOST_FILES:
            raise ValidationError(_l("Choose at most %(n)s files at a time.", n=MOST_FILES))

    @property
    def clinic_code(self) -> str | None:
        """The code of the chosen clinic; None where there was no choice."""
        return self.clinic.data if "clinic" in self else None

    @property
    def chosen(self) -> list[tuple[str, BinaryIO]]:
        """The files, each with its name and content."""
        return [(each.filename, each.stream) for each in self.files.data or [] if each]
