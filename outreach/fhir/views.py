"""The API that other systems read: FHIR R4, by an access key, never by a session."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, HTTPException

from outreach import orm
from outreach.access_keys.access import NoKey, TooMany, key_required, system
from outreach.accounts.access import open_to_all
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotFound
from outreach.fhir import found
from outreach.fhir.found import Found, NoSuchResource
from outreach.fhir.rules import NotUnderstood, answers, asked
from outreach.fhir.rules.asked import KINDS, Kind, Search
from outreach.fhir.rules.description import MEDIA
from outreach.fhir.rules.description import description as openapi
from outreach.fhir.rules.resources import Resource
from outreach.oversight import looks
from outreach.web import out_of_order

bp = Blueprint("fhir", __name__, url_prefix="/fhir")
log = logging.getLogger(__name__)

_SPOKEN = {MEDIA, "application/json", "application/*", "*/*"}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_SEARCHES: Mapping[str, Callable[[Session, int, Search], Found]] = {
    "Patient": found.patients,
    "Observation": found.observations,
    "Communication": found.communications,
}
_READS: Mapping[str, Callable[[Session, int, str], Found]] = {
    "Patient": found.patient,
    "Observation": found.observation,
    "Communication": found.communication,
}


class NotSpoken(Exception):
    """The other side takes no JSON."""


@bp.before_request
def begin() -> None:
    """Know nobody by a cookie, and speak JSON or nothing."""
    current_app.login_manager._update_request_context_with_user()  # type: ignore[attr-defined]  # noqa: SLF001 - a key is who asks
    wanted = {each.partition(";")[0].strip() for each in request.accept_mimetypes.values()}
    if wanted and wanted.isdisjoint(_SPOKEN):
        raise NotSpoken


@bp.get("/metadata")
@open_to_all
def capabilities() -> ResponseReturnValue:
    """Say what the API can do."""
    asked.nothing_else(_sent())
    return _answer(answers.capabilities(_base()))


@bp.get("/openapi.json")
@open_to_all
def description() -> ResponseReturnValue:
    """Describe the API as OpenAPI."""
    return Response(_written(openapi(_base())), mimetype="application/json")


@bp.get("/<kind>")
@key_required
def search(kind: str) -> ResponseReturnValue:
    """Answer a search with one page."""
    wanted = asked.search(_known(kind), _sent())
    result = _SEARCHES[kind](db.session, system().clinic_id, wanted)
    if result.patient_ids:
        _note(kind, result)
    return _answer(answers.bundle(_base(), kind, wanted, result.page, result.after))


@bp.get("/<kind>/<name>")
@key_required
def read(kind: str, name: str) -> ResponseReturnValue:
    """Answer with one resource."""
    ids = _known(kind).ids
    asked.nothing_else(_sent())
    if not re.fullmatch(ids, name, re.ASCII):
        raise NoSuchResource(f"There is no such {kind}.")
    result = _READS[kind](db.session, system().clinic_id, name)
    _note(kind, result)
    return _answer(result.page[0])


@bp.route("/", defaults={"path": ""}, methods=_METHODS)
@bp.route("/<path:path>", methods=_METHODS)
@open_to_all
def nothing(path: str) -> ResponseReturnValue:
    """Answer all the rest: other methods than GET, and what is not there."""
    is_here = path.partition("/")[0] in {*KINDS, "metadata", "openapi.json"}
    if is_here and request.method != "GET":
        return _refuse(405, "The API can only be read.", {"Allow": "GET, HEAD"})
    return _refuse(404, "There is no such resource or operation here.")


def _known(kind: str) -> Kind:
    if kind not in KINDS:
        raise NoSuchResource("There is no such resource or operation here.")
    return KINDS[kind]


def _note(kind: str, result: Found) -> None:
    """Note what is about to be read. Where that fails nothing is answered."""
    by = (system().key_id, system().clinic_id)
    with orm.writing(), db.sessionmaker.begin() as own:
        looks.note_by_key(
            own, by, kind, result.patient_ids, is_list=result.is_list, now=deps().clock()
        )


def _base() -> str:
    return (deps().config.public_url or request.host_url).rstrip("/") + "/fhir"


def _sent() -> Mapping[str, Sequence[str]]:
    return dict(request.args.lists())


def _written(resource: Resource) -> str:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"))


def _answer(resource: Resource) -> Response:
    return Response(_written(resource), mimetype=MEDIA)


def _refuse(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    refusal = _answer(answers.outcome(status, words))
    refusal.status_code = status
    refusal.headers.update(headers or {})
    return refusal


@bp.errorhandler(NotUnderstood)
def _not_understood(error: NotUnderstood) -> Response:
    return _refuse(400, str(error))


@bp.errorhandler(NoKey)
def _no_key(error: NoKey) -> Response:
    return _refuse(401, str(error), {"WWW-Authenticate": 'Bearer realm="outreach"'})


@bp.errorhandler(NotFound)
def _not_found(error: NotFound) -> Response:
    return _refuse(404, str(error))


@bp.errorhandler(NotSpoken)
def _not_spoken(_error: NotSpoken) -> Response:
    return _refuse(406, f"Only JSON is spoken here: Accept: {MEDIA}.")


@bp.errorhandler(TooMany)
def _too_many(error: TooMany) -> Response:
    return _refuse(429, str(error), {"Retry-After": str(error.seconds)})


@bp.errorhandler(BadRequest)  # else a page answers, as anywhere else
@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    status = error.code or 500
    return _refuse(status, error.name)


def _out_of_order(error: Exception) -> Response:
    log.error("the database is out of order", exc_info=error)
    retry = {"Retry-After": str(out_of_order.RETRY_SECONDS)}
    return _refuse(503, "The database does not answer. Try again.", retry)


for _kind in out_of_order.KINDS:
    bp.register_error_handler(_kind, _out_of_order)
