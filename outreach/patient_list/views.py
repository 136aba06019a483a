"""The list of patients: filtered, sorted, searched, kept under a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from wtforms import SelectChoice

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role, in_order_of_names
from outreach.audit import trail
from outreach.brakes import access as brakes
from outreach.brakes.rules import Braked
from outreach.db import db
from outreach.deps import deps
from outreach.panels.models import PanelMembership
from outreach.patient_list import labels, listing, saved, searches
from outreach.patient_list.forms import ListForm, SaveForm, SearchForm
from outreach.patient_list.models import KeptSearch
from outreach.patient_list.ordering import Cursor
from outreach.patient_list.rules import Column, Filters, Sort, Wanted, turned, without
from outreach.patient_list.selecting import Frame
from outreach.patients.labels import COMMON_LANGUAGES
from outreach.searching import index

bp = Blueprint("patient_list", __name__, url_prefix="/patients")

READERS = (Role.CALLER, Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)
bp.add_app_template_global(lambda: labels, "list_labels")

_CLINIC_WIDE = (Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Question:
    """What an address asks for, read against what the reader may see."""

    frame: Frame
    form: ListForm
    wanted: Wanted
    kept: KeptSearch | None
    callers: dict[str, str]
    phases: dict[str, str]

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that lead back here, without the place in the list."""
        found = {"found": self.kept.token} if self.kept else {}
        return {**self.wanted.as_params(), **found}

    def sorted_by(self, sort: Sort) -> dict[str, Any]:
        """The parameters of this list sorted by ``sort``, or turned where it is so already."""
        found = {"found": self.kept.token} if self.kept else {}
        return {**turned(self.wanted, sort).as_params(), **found}

    def order_of(self, sort: Sort | None) -> str | None:
        """Return how the list is sorted by ``sort``, in the words of aria-sort; None if not."""
        if sort is None or self.wanted.sort is not sort:
            return None
        return "descending" if sort.is_falling != self.wanted.is_backwards else "ascending"

    @property
    def clinics(self) -> dict[str, str]:
        """The clinics in scope, by code."""
        return {clinic.code: clinic.name for clinic in self.frame.clinics.values()}


@bp.get("/")
@role_required(*READERS)
def show() -> ResponseReturnValue:
    """List the patients in scope that the address asks for."""
    question = ask(request.args)
    return _page(question)


@bp.post("/search")
@role_required(*READERS)
def search() -> ResponseReturnValue:
    """Keep what was typed, note that it was searched for, and show what it finds."""
    form, now, actor = SearchForm(), deps().clock(), signed_in()
    question = ask(_params_of(request.form.get("query", "")))
    params = without(question.params, "found")
    if not (form.text.data or "").strip():
        return redirect(url_for("patient_list.show", **params))
    brakes.count(Braked.SEARCHES, actor.staff_id)
    kept = searches.keep(
        db.session,
        actor.staff_id,
        form.text.data,
        is_either=form.how.data == "either",
        has_notes=form.where.data == "notes",
        now=now,
    )
    hits = listing.count(
        db.session, question.frame, question.wanted.filters, searches.understood(kept)
    )
    trail.record(
        db.session,
        "searched patients and notes" if kept.has_notes else "searched patients",
        actor_id=actor.staff_id,
        now=now,
        about=("patients found", hits),
    )
    db.session.commit()
    return redirect(url_for("patient_list.show", **params, found=kept.token))


@bp.post("/lists")
@role_required(*READERS)
def save() -> ResponseReturnValue:
    """Keep filters, order and columns under a name."""
    now, actor = deps().clock(), signed_in()
    form = SaveForm()
    question = ask(_params_of(form.query.data or ""))
    _offer_clinics(form, question)
    if not form.validate_on_submit():
        return _page(question, form), 422
    clinic_id = next(
        (each.id for each in question.frame.clinics.values() if each.code == form.shared.data),
        None,
    )
    saved.save(
        db.session,
        actor,
        (form.name.data or "").strip(),
        question.wanted,
        clinic_id=clinic_id,
        now=now,
    )
    db.session.commit()
    flash(_("The list is kept under this name."), "good")
    return redirect(url_for("patient_list.show", **question.params))


@bp.post("/lists/<int:list_id>/delete")
@role_required(*READERS)
def drop(list_id: int) -> ResponseReturnValue:
    """Delete one of one's own saved lists."""
    dropped = saved.drop(db.session, signed_in(), list_id)
    db.session.commit()
    flash(_("The list “%(name)s” is deleted.", name=dropped.name), "good")
    return redirect(url_for("patient_list.show"))


def ask(params: MultiDict[str, str]) -> Question:
    """Read what an address asks for."""
    now, actor = deps().clock(), signed_in()
    frame = listing.frame(db.session, actor.scope, Filters(), now=now)
    callers = _callers(frame) if actor.roles.intersection(_CLINIC_WIDE) else {}
    kept = searches.find(db.session, actor.staff_id, params.get("found"), now=now)
    phases = {
        phase.code: labels.phase(phase)
        for protocol in frame.protocols.values()
        for phase in protocol.phases
    }
    form = ListForm.read(
        params,
        clinics=[(clinic.code, clinic.name) for clinic in frame.clinics.values()],
        callers=list(callers.items()),
        phases=list(phases.items()),
        languages={*COMMON_LANGUAGES, *params.getlist("language")} - {""},
    )
    wanted = form.wanted
    if wanted.filters.due:
        frame = listing.frame(db.session, actor.scope, wanted.filters, now=now)
    return Question(frame, form, wanted, kept, callers, phases)


def _page(question: Question, save_form: SaveForm | None = None) -> str:
    filters, looked_for = question.wanted.filters, searches.understood(question.kept)
    shown, total = listing.Page((), has_earlier=False, has_more=False), 0
    everybody = listing.count(db.session, question.frame, Filters(), searches.understood(None))
    if not question.form.errors:
        shown = listing.page(
            db.session, question.frame, question.wanted, looked_for, _cursor(request.args)
        )
        total = listing.count(db.session, question.frame, filters, looked_for)
    lists = saved.all_for(db.session, signed_in())
    is_indexing = question.kept is not None and index.waiting(db.session)
    if save_form is None:
        save_form = SaveForm(formdata=None)
        _offer_clinics(save_form, question)
    has_clinics = len(question.frame.clinics) > 1
    return render_template(
        "patient_list/list.html",
        question=question,
        form=question.form,
        search_form=_search_form(question.kept),
        save_form=save_form,
        page=shown,
        total=total,
        everybody=everybody,
        looked_for=looked_for.asked,
        lists=lists,
        chips=labels.chips(
            filters,
            clinics=question.clinics,
            callers=question.callers,
            phases=question.phases,
        ),
        columns=_columns(question.wanted.columns, has_clinics=has_clinics),
        has_clinics=has_clinics,
        is_indexing=is_indexing,
        is_lost=bool(request.args.get("found")) and question.kept is None,
        without=without,
        by_name=Sort.NAME,
    )


def _columns(chosen: Sequence[Column], *, has_clinics: bool) -> list[Column]:
    """Return the columns to show: of several clinics, which one is always said."""
    asked = {*chosen, Column.CLINIC} if has_clinics else set(chosen) - {Column.CLINIC}
    return [column for column in Column if column in asked]


def _cursor(params: MultiDict[str, str]) -> Cursor | None:
    after, before = params.get("after"), params.get("before")
    if before:
        return Cursor(before[:16], is_before=True)
    return Cursor(after[:16]) if after else None


def _search_form(kept: KeptSearch | None) -> SearchForm:
    if kept is None:
        return SearchForm(formdata=None)
    return SearchForm(
        formdata=None,
        data={
            "text": kept.text,
            "how": "either" if kept.is_either else "all",
            "where": "notes" if kept.has_notes else "names",
        },
    )


def _offer_clinics(form: SaveForm, question: Question) -> None:
    clinics = [
        SelectChoice(clinic.code, _("everybody at %(clinic)s", clinic=clinic.name))
        for clinic in question.frame.clinics.values()
        if clinic.id in {held.clinic_id for held in signed_in().held}
    ]
    form.shared.choices = [SelectChoice("", _("me alone")), *clinics]


def _params_of(query: str) -> MultiDict[str, str]:
    return MultiDict(parse_qsl(query[:4000]))


def _callers(frame: Frame) -> dict[str, str]:
    """Return who calls anybody at the clinics in scope now, by id."""
    has_panel = (
        select(PanelMembership.id)
        .where(
            PanelMembership.caller_id == StaffMember.id,
            PanelMembership.clinic_id.in_(sorted(frame.clinics)),
            PanelMembership.until_at.is_(None),
        )
        .exists()
    )
    rows = db.session.execute(select(StaffMember.id, StaffMember.name).where(has_panel))
    by_name = sorted(rows, key=lambda row: in_order_of_names(row.name, row.id))
    return {str(staff_id): name for staff_id, name in by_name}
