"""Pages on which managers choose what texts say."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotFound
from outreach.patients import finding
from outreach.web import phones
from outreach.wordings import keeping, labels
from outreach.wordings.forms import WordsForm
from outreach.wordings.keeping import Unfit, Words, WrittenMeanwhile
from outreach.wordings.rules import FALLBACK, KINDS, LANGUAGES, TextName, filled
from outreach.wordings.rules.linting import faults
from outreach.wordings.rules.segments import size_of

bp = Blueprint("wordings", __name__, url_prefix="/wordings")
bp.add_app_template_global(lambda: labels, "wording_labels")

WRITERS = (Role.MANAGER, Role.ADMINISTRATOR)


@bp.get("/")
@role_required(*WRITERS)
def index() -> ResponseReturnValue:
    """Show what every text says, in the three languages side by side."""
    clinic = _clinic()
    book = keeping.book_of(db.session, clinic_ids=[clinic.id])
    shown = {
        name: {
            language: _seen(clinic, (name, language), book.of(clinic.id, name, language))
            for language in LANGUAGES
        }
        for name in TextName
    }
    return render_template(
        "wordings/index.html",
        clinic=clinic,
        clinics=_clinics(),
        shown=shown,
        names=labels.NAMES,
        groups=labels.GROUPS,
    )


@bp.route("/<name>/<language>", methods=["GET", "POST"])
@role_required(*WRITERS)
def edit(name: str, language: str) -> ResponseReturnValue:
    """Change what one text says in one language; show its versions."""
    clinic, key = _clinic(), _key(name, language)
    current = keeping.book_of(db.session, clinic_ids=[clinic.id]).of(clinic.id, *key)
    form = WordsForm.of(current)
    found: Sequence[str] = ()
    if form.validate_on_submit():
        try:
            return _written(clinic, key, form)
        except Unfit as unfit:
            found = [labels.said(each) for each in unfit.findings]
        except WrittenMeanwhile:
            found = [
                _("Somebody else changed these words meanwhile. Theirs are below: yours are kept.")
            ]
            form.seen.data = str(current.number)
        form.body.errors = found
    words = form.written if form.is_submitted() else current.body
    page = render_template(
        "wordings/edit.html",
        clinic=clinic,
        name=key[0],
        language=key[1],
        form=form,
        current=current,
        looks=_looks(clinic, key, words),
        history=keeping.history(db.session, clinic.id, *key),
        built_in=keeping.built_in(*key),
        example=_example(clinic, key[0], FALLBACK),
        required=KINDS[key[0]].required,
        note=labels.NOTES.get(key[0]),
    )
    return page, 422 if form.errors or found else 200


@bp.post("/<name>/<language>/look")
@role_required(*WRITERS)
def look(name: str, language: str) -> ResponseReturnValue:
    """Return how words that are being typed would look and what they would cost."""
    key = _key(name, language)
    words = WordsForm().written
    looks = _looks(_clinic(), key, words)
    return render_template("wordings/_looks.html", looks=looks, language=language)


def _written(clinic: Clinic, key: tuple[TextName, str], form: WordsForm) -> ResponseReturnValue:
    now, by = deps().clock(), signed_in().staff_id
    number = keeping.write(
        db.session,
        clinic,
        key,
        form.written,
        seen_number=form.seen_number,
        hosts=_hosts(),
        by_staff_id=by,
        now=now,
    )
    trail.record(
        db.session,
        "changed the words of a text",
        actor_id=by,
        now=now,
        clinic_id=clinic.id,
        about=("wording", number),
    )
    db.session.commit()
    flash(_("Saved. Texts written from now on say this."), "good")
    return redirect(url_for("wordings.index", clinic=clinic.code))


def _example(clinic: Clinic, name: TextName, language: str) -> dict[str, str]:
    """Return a value of each placeholder; the clinic's name and number are its own."""
    own = {"clinic": clinic.name[:28], "phone": phones.as_written(clinic.phone_number)}
    return {each: own.get(each, value) for each, value in KINDS[name].example_in(language).items()}


def _seen(clinic: Clinic, key: tuple[TextName, str], words: Words) -> dict[str, Any]:
    text = filled(words.body, _example(clinic, *key))
    return {"text": text, "size": size_of(text), "number": words.number}


def _looks(clinic: Clinic, key: tuple[TextName, str], words: str) -> dict[str, Any]:
    """Return the text with its examples filled in, its size, and what is wrong with it."""
    found = faults(words, KINDS[key[0]], hosts=_hosts())
    text = words
    for each, value in _example(clinic, *key).items():
        text = text.replace("{" + each + "}", value)
    return {
        "text": text,
        "size": size_of(text),
        "faults": [labels.said(each) for each in found],
    }


def _hosts() -> frozenset[str]:
    """Return the hosts that links may lead to: ours."""
    host = urlsplit(deps().config.public_url or "").hostname
    return frozenset([host] if host else [])


def _key(name: str, language: str) -> tuple[TextName, str]:
    if name not in list(TextName) or language not in LANGUAGES:
        raise NotFound("There is no such text.")
    return TextName(name), language


def _clinics() -> Sequence[Clinic]:
    return staff.clinics_in(db.session, finding.managing(signed_in()))


def _clinic() -> Clinic:
    scope = finding.managing(signed_in())
    return staff.clinic_in(db.session, scope, request.values.get("clinic"))
