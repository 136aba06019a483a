"""Commands: ``flask patients ...``."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from outreach import orm
from outreach.accounts import staff
from outreach.commands import Commands
from outreach.db import db
from outreach.deps import deps
from outreach.errors import OutreachError
from outreach.intake import importing
from outreach.intake.files import Source
from outreach.intake.rules import FileKind, Remark, Report

group = Commands("patients", help="Bring patients in.")


@group.command("import")
@click.argument(
    "paths",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--clinic", "code", required=True, help="Code of the clinic they belong to.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
def bring_in(paths: tuple[Path, ...], code: str, *, dry_run: bool) -> None:
    """Bring in the patients of FILE: a CSV table, or FHIR R4 as Bundle or NDJSON.

    Several FILEs of one kind are taken together, as Patient.ndjson Observation.ndjson.
    """
    try:
        kind, report = _bring_in([Source(path, path.name) for path in paths], code, is_dry=dry_run)
    except OutreachError as error:
        raise click.ClickException(str(error)) from error
    _say(kind, report, is_dry=dry_run)


def _bring_in(sources: Sequence[Source], code: str, *, is_dry: bool) -> tuple[FileKind, Report]:
    now = deps().clock()
    with orm.reading():
        target = importing.Target.of(staff.clinic_by_code(db.session, code))
        db.session.rollback()
    with (
        _bar("Reading", sum(source.size for source in sources)) as watch,
        importing.read(sources, target, now=now, watch=watch) as checked,
    ):
        if is_dry:
            with orm.reading():
                report = importing.preview(db.session, checked, target, now=now)
            return checked.kind, report
        with _bar("Writing", checked.spool.patients) as done:
            importing.carry_out(db.session, checked, target, by_staff_id=None, now=now, watch=done)
            db.session.commit()
        return checked.kind, checked.report


@contextmanager
def _bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    steps = max(1, length // 100)
    with click.progressbar(
        length=length, label=label, file=sys.stderr, update_min_steps=steps
    ) as bar:
        yield bar.update


def _say(kind: FileKind, report: Report, *, is_dry: bool) -> None:
    for problem in report.problems:
        click.echo(f"Not taken: {_place(problem, kind)}: {problem.reason}")
    for note in report.notes:
        click.echo(f"Note: {_place(note, kind)}: {note.reason}")
    if report.more_problems or report.more_notes:
        click.echo(f"And {report.more_problems} more problems, {report.more_notes} more notes.")
    click.echo("Nothing was changed; an import would bring in:" if is_dry else "Brought in:")
    for words, count in (
        ("new patients", report.new),
        ("of them enrolled", report.enrolled),
        ("readings", report.readings),
        ("visits", report.visits),
        ("told to a nurse", report.concerns),
        ("want no texts any more", report.withdrawn),
        ("patients already here", report.known),
        ("repeated in the file", report.repeated),
        ("have died, passed over", report.deceased),
        ("other parts passed over", report.passed_over),
        ("not taken, see above", report.refused),
    ):
        click.echo(f"{count:>8} {words}")


def _place(remark: Remark, kind: FileKind) -> str:
    counted = "entry" if kind is FileKind.FHIR_BUNDLE else "line"
    parts = (remark.file, f"{counted} {remark.line}" if remark.line else "", remark.field)
    return ", ".join(part for part in parts if part)
