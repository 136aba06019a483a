"""Take the pictures of docs/screenshots, or of every main page, from a scratch installation.

``python scripts/screenshots.py`` starts the product with the demo clinics in a temporary
folder and on a free port, signs in through Chromium and photographs the queue and the
adherence report. ``--all --to FOLDER`` takes every main page at phone, tablet and desk width.
Chromium is $CHROMIUM, else the one on the path; needs requirements-dev.txt.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from config import ROOT
from outreach.accounts.rules import Role
from scripts.seed_demo import DEMO_ACCOUNTS

SHOTS = ROOT / "docs" / "screenshots"
DESK = (1440, 900)
SIZES = ((360, 780), (768, 1024), DESK)
CHROMIUM_FLAGS = (
    "--no-sandbox",  # Chromium refuses to run as root without it; it only sees our own pages
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 60


@dataclass(frozen=True)
class Shot:
    """One page: who looks, where it is, and which link to follow from there, if any."""

    name: str
    role: Role
    path: str
    link: str | None = None


QUEUE = Shot("queue", Role.CALLER, "/queue/")
REPORT = Shot("report", Role.MANAGER, "/reports/adherence")
EVERY = (
    QUEUE,
    REPORT,
    Shot("call", Role.CALLER, "/queue/", "main a[href^='/calls/']"),
    Shot("patient", Role.CALLER, "/patients/", "main tbody th a"),
    Shot("concerns", Role.NURSE, "/concerns/"),
    Shot("concern", Role.NURSE, "/concerns/", "main a[href^='/concerns/']"),
    Shot("today", Role.MANAGER, "/reports/today"),
    Shot("patients", Role.MANAGER, "/patients/"),
    Shot("panels", Role.MANAGER, "/panels/"),
    Shot("messages", Role.MANAGER, "/messages/"),
    Shot("import", Role.MANAGER, "/import/"),
)


def main() -> None:
    """Start, photograph, stop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every main page, at three widths")
    parser.add_argument("--to", type=Path, default=SHOTS, help="folder for the pictures")
    chosen = parser.parse_args()
    if chosen.all and chosen.to == SHOTS:
        parser.error("--all needs a folder of its own: --to FOLDER")
    chosen.to.mkdir(parents=True, exist_ok=True)
    with _product() as (address, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=CHROMIUM_FLAGS)
        sizes, shots = (SIZES, EVERY) if chosen.all else ((DESK,), (QUEUE, REPORT))
        for size in sizes:
            for role, email in DEMO_ACCOUNTS:
                own = [shot for shot in shots if shot.role is role]
                if own:
                    page = _signed_in(browser, address, (email, password), size)
                    suffix = f"-{size[0]}" if chosen.all else ""
                    _take(page, address, own, chosen.to, suffix, is_whole=chosen.all)
        browser.close()


def _take(
    page: Page, address: str, shots: list[Shot], folder: Path, suffix: str, *, is_whole: bool
) -> None:
    for shot in shots:
        answer = page.goto(address + shot.path, wait_until="networkidle")
        status = answer.status if answer else 0
        if shot.link:
            link = page.locator(shot.link).first.get_attribute("href", timeout=5_000)
            page.goto(f"{address}{link}", wait_until="networkidle")
        target = folder / f"{shot.name}{suffix}.png"
        page.screenshot(path=target, full_page=is_whole)
        print(f"{status} {target}")
    page.context.close()


def _signed_in(
    browser: Browser, address: str, account: tuple[str, str], size: tuple[int, int]
) -> Page:
    """Return a page of somebody who has just signed in."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", locale="en-US"
    )
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("input[name=email]", account[0])
    page.fill("input[name=password]", account[1])
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


@contextmanager
def _product() -> Iterator[tuple[str, str]]:
    """Run a new installation with the demo; yield its address and the demo's password."""
    with tempfile.TemporaryDirectory(prefix="outreach-shots-") as folder:
        port = _free_port()
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "PUBLIC_URL", "TWILIO_ACCOUNT_SID")
        }
        environment |= {"INSTANCE_PATH": folder, "PORT": str(port), "HOST": "127.0.0.1"}
        server = subprocess.Popen(
            [sys.executable, "-m", "scripts.serve"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, server)
            yield address, (Path(folder) / "demo_password").read_text().strip()
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=1).close()  # noqa: S310 - our own
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The product did not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _chromium() -> str:
    path = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if not path:
        raise SystemExit("Chromium was not found; name it in $CHROMIUM.")
    return path


if __name__ == "__main__":
    main()
