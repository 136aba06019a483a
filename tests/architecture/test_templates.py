"""What stands on every page has names of its own there: a script that looks for one finds it."""

import re

from config import ROOT

FOLDER = ROOT / "templates"
EVERYWHERE = {FOLDER / "base.html", FOLDER / "accounts" / "_away.html"}
ID = re.compile(r'\bid="([\w-]+)"')


def test_no_page_uses_a_name_of_what_stands_on_every_page() -> None:
    own = {name for file in EVERYWHERE for name in ID.findall(file.read_text())}
    assert {"main", "still-there"} <= own

    pages = set(FOLDER.rglob("*.html")) - EVERYWHERE
    twice = {(file.name, name) for file in pages for name in ID.findall(file.read_text())}
    assert {(file, name) for file, name in twice if name in own} == set()
