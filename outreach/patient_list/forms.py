"""Forms of the list: what it is filtered by, what is searched for, under which name it is kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    Field,
    HiddenField,
    SearchField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.patient_list import labels
from outreach.patient_list.rules import (
    LONGEST_SILENCE_DAYS,
    NOBODY,
    Column,
    Filters,
    Numbers,
    Sort,
    Standing,
    Stratum,
    Wanted,
    columns_named,
)
from outreach.searching.rules import LONGEST_TEXT
from outreach.web.bounded import whole
from outreach.web.number_fields import DecimalField, WholeField
from outreach.web.template_filters import language_name

Choices = Sequence[tuple[str, str]]
_PERCENT = NumberRange(3, 20, message=_l("Enter a percentage from 3 to 20."))
_DAY = _l("Enter a day as year, month and day: 2026-11-02.")


class ColumnsField(SelectMultipleField):
    """Check boxes, one for each column."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ListForm(FlaskForm):
    """Filters, order and columns. They only read, so they travel in the address."""

    class Meta:
        """A form that changes nothing needs no token."""

        csrf = False

    standing = SelectField(_l("Programme"), choices=[], validate_choice=False)
    caller = SelectField(_l("Caller"), choices=[], validate_choice=False)
    hba1c_over = DecimalField(_l("HbA1c over, %"), validators=[Optional(), _PERCENT], places=None)
    hba1c_under = DecimalField(_l("HbA1c under, %"), validators=[Optional(), _PERCENT], places=None)
    silent_days = WholeField(
        _l("Not reached for, days"),
        validators=[
            Optional(),
            NumberRange(1, LONGEST_SILENCE_DAYS, message=_l("Enter 1 day or more.")),
        ],
    )
    clinic = SelectField(_l("Clinic"), choices=[], validate_choice=False)
    phase = SelectField(_l("Phase"), choices=[], validate_choice=False)
    language = SelectField(_l("Language"), choices=[], validate_choice=False)
    phq9 = SelectField(_l("PHQ-9, last total"), choices=[], validate_choice=False)
    number = SelectField(_l("Telephone numbers"), choices=[], validate_choice=False)
    enrolled_from = DateField(_l("First day from"), validators=[Optional()])
    enrolled_until = DateField(_l("First day until"), validators=[Optional()])
    due = BooleanField(_l("Measure due"), false_values=(False, "false", "", "0"))
    concern = BooleanField(_l("Open concern"), false_values=(False, "false", "", "0"))
    stopped = BooleanField(_l("Texts stopped"), false_values=(False, "false", "", "0"))
    sort = SelectField(_l("Sorted by"), choices=[], validate_choice=False)
    backwards = BooleanField(_l("The other way round"), false_values=(False, "false", "", "0"))
    columns = ColumnsField(_l("Columns"), choices=[], validate_choice=False)

    @classmethod
    def read(
        cls,
        params: MultiDict[str, str],
        *,
        clinics: Choices,
        callers: Choices,
        phases: Choices,
        languages: Iterable[str],
    ) -> "ListForm":
        """Return the form with what an address asks for, and with what may be chosen."""
        form = cls(formdata=params)
        everybody = ("", _("Any"))
        nobody = (NOBODY, _("Nobody yet"))
        spoken = sorted(((code, language_name(code)) for code in languages), key=lambda at: at[1])
        offered: Mapping[str, Iterable[tuple[str, Any]]] = {
            "standing": labels.STANDINGS.items(),
            "caller": [nobody, *callers],
            "clinic": clinics,
            "phase": phases,
            "language": spoken,
            "phq9": labels.STRATA.items(),
            "number": labels.NUMBERS.items(),
        }
        for name, choices in offered.items():
            field = form[name]
            field.choices = [SelectChoice(*each) for each in (everybody, *choices)]
            field.data = field.data or ""
        form.sort.choices = [SelectChoice(*each) for each in labels.SORTS.items()]
        form.columns.choices = [SelectChoice(*each) for each in labels.COLUMNS.items()]
        form.columns.data = list(columns_named(form.columns.data or ()))
        form.validate()
        form._mend_messages()
        return form

    @property
    def wanted(self) -> Wanted:
        """The list that is asked for; a word that means nothing sets nothing."""
        sort = Sort(self.sort.data) if self.sort.data in set(Sort) else Sort.NAME
        filters = Filters(
            clinic=self._among(self.clinic),
            caller=self._caller(),
            standing=_member(Standing, self.standing.data),
            phase=self._among(self.phase),
            language=self.language.data[:10] or None,
            hba1c_over=_valid(self.hba1c_over),
            hba1c_under=_valid(self.hba1c_under),
            phq9=_member(Stratum, self.phq9.data),
            silent_days=_valid(self.silent_days),
            due=self.due.data or None,
            concern=self.concern.data or None,
            number=_member(Numbers, self.number.data),
            stopped=self.stopped.data or None,
            enrolled_from=_valid(self.enrolled_from),
            enrolled_until=_valid(self.enrolled_until),
        )
        columns = tuple(map(Column, self.columns.data))
        return Wanted(filters, sort, bool(self.backwards.data), columns)

    def _caller(self) -> str | None:
        typed = self.caller.data
        return typed if typed == NOBODY or whole(typed) is not None else None

    @staticmethod
    def _among(field: SelectField) -> str | None:
        known = {choice.value for choice in field.choices}
        return field.data if field.data and field.data in known else None

    def _mend_messages(self) -> None:
        """Say in our own words what WTForms could not read."""
        for field in (self.enrolled_from, self.enrolled_until):
            if field.errors:
                field.errors = [_DAY]
        for field in (self.hba1c_over, self.hba1c_under):
            if field.errors and field.data is None:
                field.errors = [_PERCENT.message]
        if self.silent_days.errors and self.silent_days.data is None:
            self.silent_days.errors = [_("Enter 1 day or more.")]


class SearchForm(FlaskForm):
    """What to look for. Posted: names don't belong into addresses."""

    text = SearchField(_l("Search"), validators=[Length(max=LONGEST_TEXT * 100)])
    how = SelectField(
        _l("Find"),
        choices=[SelectChoice("all", _l("all words")), SelectChoice("either", _l("either word"))],
    )
    where = SelectField(
        _l("In"),
        choices=[
            SelectChoice("names", _l("names and record numbers")),
            SelectChoice("notes", _l("notes too")),
        ],
    )


class SaveForm(FlaskForm):
    """A name for a list, and who may use it besides oneself."""

    name = StringField(
        _l("Name"), validators=[DataRequired(_l("Give the list a name.")), Length(max=80)]
    )
    shared = SelectField(_l("For"), choices=[], validate_choice=False)
    query = HiddenField()


def _member(kind: Any, value: str | None) -> Any:
    return kind(value) if value in set(kind) else None


def _valid(field: Field) -> Any:
    """Return what a field holds; None where something is wrong with it."""
    return None if field.errors else field.data
