"""Forms of accounts."""

import phonenumbers
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    EmailField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
)
from wtforms.validators import InputRequired, Length, Regexp, ValidationError


class SignInForm(FlaskForm):
    """Address and password."""

    email = EmailField(
        _l("E-mail address"),
        validators=[InputRequired(_l("Enter your e-mail address.")), Length(max=254)],
    )
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Enter your password.")), Length(max=1000)]
    )


class CodeForm(FlaskForm):
    """A code of an authenticator app, or a recovery code."""

    code = StringField(
        _l("Code"), validators=[InputRequired(_l("Enter the code.")), Length(max=40)]
    )


class ConfirmForm(FlaskForm):
    """Password or code once more, before something that matters."""

    proof = PasswordField(
        _l("Your password, or the code of your app"),
        validators=[InputRequired(_l("Enter your password or a code.")), Length(max=1000)],
    )


class NewPasswordForm(FlaskForm):
    """A password of one's own, typed once; it may be shown."""

    password = PasswordField(
        _l("New password"),
        validators=[InputRequired(_l("Enter a password.")), Length(max=1000)],
    )


class NewStaffForm(FlaskForm):
    """Somebody who starts."""

    name = StringField(_l("Name"), validators=[InputRequired(_l("Enter a name.")), Length(max=120)])
    email = EmailField(
        _l("E-mail address"),
        validators=[
            InputRequired(_l("Enter an e-mail address.")),
            Length(max=254),
            Regexp(
                r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$",
                message=_l("Enter an address as ana@clinic.org."),
            ),
        ],
    )
    role = SelectField(_l("Role"))
    languages = StringField(_l("Languages"), validators=[Length(max=80)], default="en")

    def codes(self) -> tuple[str, ...]:
        """Return the languages as they were typed, one by one."""
        return tuple((self.languages.data or "en").replace(",", " ").split())


class RoleForm(FlaskForm):
    """A role that somebody gets; the choices name role and clinic."""

    role = SelectField(_l("Role"))


class RegionForm(FlaskForm):
    """A region's name."""

    name = StringField(
        _l("Name"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[InputRequired(_l("Enter a name.")), Length(max=120)],
    )


class RegionClinicsForm(FlaskForm):
    """Which clinics a region is of."""

    clinics = SelectMultipleField(_l("Clinics"), coerce=int)


class RegionRoleForm(FlaskForm):
    """Who answers for a region, by address, and as what."""

    email = EmailField(
        _l("E-mail address"),
        validators=[InputRequired(_l("Enter an e-mail address.")), Length(max=254)],
    )
    role = SelectField(_l("Role"))


class StaffNumberForm(FlaskForm):
    """A telephone of one of the staff, as they write it; empty takes it away."""

    phone = TelField(_l("Telephone number"), validators=[Length(max=40)])

    def __init__(self, region: str, **known: str) -> None:
        super().__init__(**known)
        self.region = region
        self.e164: str | None = None

    def validate_phone(self, field: TelField) -> None:
        """Accept a number of the clinic's country or with its own; none that costs extra."""
        written = (field.data or "").strip()
        if not written:
            return
        try:
            parsed = phonenumbers.parse(written, self.region)
        except phonenumbers.NumberParseException as error:
            raise ValidationError(_l("That is not a telephone number.")) from error
        is_dear = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.PREMIUM_RATE
        if is_dear or not phonenumbers.is_valid_number(parsed):
            raise ValidationError(_l("That is not a telephone number that we can ring."))
        self.e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
