"""What comes instead of a device's answer: anybody may send it, and it is refused in words."""

import base64
import json

import pytest
from flask.testing import FlaskClient

from outreach.orm import Sessions
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in

DEEP = "[" * 100_000


def told(client: FlaskClient) -> str:
    """Ask for a question at the door; return what a browser would say that it answers."""
    question = client.post("/sign-in/passkey/question").get_json()
    said = {
        "type": "webauthn.get",
        "challenge": question["challenge"],
        "origin": "http://localhost",
    }
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


@pytest.mark.parametrize("key_id", ["\x00", "\ud800", "x" * 5000, {"a": 1}, None, 5, ""])
def test_an_id_that_no_device_gave_is_none_of_ours(client: FlaskClient, key_id: object) -> None:
    answer = {"id": key_id, "response": {"clientDataJSON": told(client)}}

    refused = client.post("/sign-in/passkey", json=answer)

    assert (refused.status_code, refused.get_json()["problem"]) == (
        422,
        "That passkey is not one of ours.",
    )


@pytest.mark.parametrize("path", ["/sign-in/passkey", "/my-sign-in/passkeys"])
@pytest.mark.parametrize("body", [DEEP, "[1]", '"a"', "null", "", '{"answer": ' + DEEP])
def test_what_is_no_answer_at_all_is_refused(
    client: FlaskClient, sessions: Sessions, path: str, body: str
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)
    sign_in(client, person)
    refused = client.post(path, data=body, content_type="application/json")

    assert refused.status_code == 422


def test_an_answer_nested_without_end_is_none(client: FlaskClient) -> None:
    nested = base64.urlsafe_b64encode(f'{{"challenge": {DEEP}'.encode()).decode()

    answer = {"id": "x", "response": {"clientDataJSON": nested}}

    assert client.post("/sign-in/passkey", json=answer).status_code == 422
