"""Pages as this machine shows them: ``python -m tests.integration.odd_machine REF``.

Started by ``test_odd_machines.py`` on machines with another clock, language or without zones.
"""

import re
import sys
from datetime import datetime

from config import Config
from outreach.app import create_app
from outreach.deps import Deps
from outreach.telephony.console_gateway import ConsoleGateway
from scripts.benches.queue_rows import NOW, PASSWORD, SMALL, email_of
from tests.conftest import FAST_HASHER

# Tokens, and the key of a form, are others each time.
_EVER_NEW = re.compile(r'(value|content|data-csrf)="[^"]{20,}"')


def _now() -> datetime:
    return NOW


def main(ref: str) -> None:
    """Sign in, and write three pages out as bytes."""
    config = Config.from_environment()
    gateway = ConsoleGateway(config.instance_path / "console-sms.jsonl", _now)
    app = create_app(Deps(config, _now, gateway))
    app.extensions["password_hasher"] = FAST_HASHER
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/sign-in", data={"email": email_of(SMALL), "password": PASSWORD})
    for path in ("/queue/", f"/calls/{ref}", f"/patients/{ref}"):
        answer = client.get(path)
        page = _EVER_NEW.sub("", answer.text)
        sys.stdout.buffer.write(f"{path} {answer.status_code}\n{page}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
