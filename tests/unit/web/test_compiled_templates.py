"""Templates are compiled once for all processes, and pages need no folder to keep them in."""

import shutil
from pathlib import Path

from jinja2 import DictLoader, Environment

from outreach.web import compiled_templates


def _rendered(folder: Path, source: str = "Hello {{ name }}.") -> str:
    env = Environment(loader=DictLoader({"page.html": source}), autoescape=True)
    env.bytecode_cache = compiled_templates.kept_in(folder)
    return env.get_template("page.html").render(name="Ada")


def test_what_one_process_compiled_is_there_for_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "compiled"
    _rendered(folder)
    kept = list(folder.iterdir())

    assert _rendered(folder) == "Hello Ada."
    assert len(kept) == 1
    assert list(folder.iterdir()) == kept
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_template_that_was_changed_is_compiled_anew(tmp_path: Path) -> None:
    _rendered(tmp_path)

    assert _rendered(tmp_path, "Good day {{ name }}.") == "Good day Ada."


def test_a_page_is_shown_where_nothing_can_be_kept(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert _rendered(file / "compiled") == "Hello Ada."

    env = Environment(loader=DictLoader({"page.html": "Hello."}), autoescape=True)
    env.bytecode_cache = compiled_templates.kept_in(tmp_path / "compiled")
    shutil.rmtree(tmp_path / "compiled")
    assert env.get_template("page.html").render() == "Hello."
