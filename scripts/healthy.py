"""Exit 0 while the web server of this machine can serve pages; for container health checks."""

import http.client
import sys

from config import Config

SECONDS = 4


def main() -> int:
    """Ask ``/readyz`` as a monitor would, by the address of this machine."""
    config = Config.from_environment()
    connection = http.client.HTTPConnection("127.0.0.1", config.port, timeout=SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        said, is_well = "nobody answers", False
    else:
        is_well = answer.status == http.HTTPStatus.OK
    finally:
        connection.close()
    print(said)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
