"""Copy the page parts we use out of pinned npm packages into outreach/static/vendor.

Run by hand when a pin changes: ``python scripts/vendor.py``. Needs npm. What it copies is
committed, with licences and a manifest that a test compares, so nothing here runs when the
product is installed.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "outreach" / "static" / "vendor"

PACKAGES = {
    "bootstrap@5.3.8": {
        "dist/css/bootstrap.min.css": "bootstrap.min.css",
        "LICENSE": "bootstrap.LICENSE",
    },
    "htmx.org@2.0.11": {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE"},
    "@fontsource-variable/inter@5.3.0": {
        "files/inter-latin-wght-normal.woff2": "inter-latin.woff2",
        "files/inter-latin-ext-wght-normal.woff2": "inter-latin-ext.woff2",
        "LICENSE": "inter.LICENSE",
    },
    "bootstrap-icons@1.13.2": {"LICENSE": "bootstrap-icons.LICENSE"},
}
ICONS = (
    "arrow-right bar-chart-line box-arrow-in-down box-arrow-right calendar-event chat-dots "
    "check-circle check-lg chevron-down chevron-right clock download exclamation-triangle "
    "exclamation-octagon file-earmark-arrow-up hand-thumbs-up heart heart-pulse house info-circle "
    "journal-text keyboard list pencil people person person-lines-fill person-plus search "
    "telephone telephone-outbound telephone-x voicemail x-lg arrow-repeat sunrise sun moon "
    "clipboard2-pulse flag pause-circle shield-exclamation geo-alt translate gear"
).split()


def main() -> None:
    """Fetch each package, copy the named files, draw the icon sprite, write the manifest."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for package, files in PACKAGES.items():
            unpacked = _fetch(package, Path(folder))
            for source, target in files.items():
                content = (unpacked / source).read_bytes()
                if target.endswith((".css", ".js")):
                    content = re.sub(rb"\n?(/\*|//)# sourceMappingURL=.*", b"", content)
                (VENDOR / target).write_bytes(content)
            if package.startswith("bootstrap-icons"):
                (VENDOR / "icons.svg").write_text(_sprite(unpacked / "icons"), encoding="utf-8")
    manifest = {
        "packages": sorted(PACKAGES),
        "files": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(VENDOR.iterdir())
            if path.name != "manifest.json"
        },
    }
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _fetch(package: str, folder: Path) -> Path:
    done = subprocess.run(
        ["npm", "pack", "--silent", package],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    target = folder / re.sub(r"\W", "-", package)
    with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(target, filter="data")
    return target / "package"


def _sprite(folder: Path) -> str:
    symbols = []
    for name in sorted(set(ICONS)):
        svg = (folder / f"{name}.svg").read_text(encoding="utf-8")
        inner = re.sub(r"^<svg[^>]*>|</svg>\s*$", "", svg.strip())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 16 16">{inner.strip()}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


if __name__ == "__main__":
    main()
