"""Set our code beside the bare limit: ``python scripts/bench.py NAME [--patients N]``.

Both are measured in the same run, in turns, on the same rows; what counts is their ratio.
Ends with one line of JSON. Without --database a temporary SQLite file is used; with it, an
empty PostgreSQL or SQLite database, which is emptied again.

NAME is one of:
    queue-page   a caller's queue, signed in: CPU of one request, beside one statement of the
                 bare driver and a plain template
    log-call     calls saved over HTTP by eight callers at once, beside bare transactions of the
                 rows that come of it
    plan         every enrolment that lacks its next call gets it, beside one INSERT .. SELECT
                 that finds the same ones and has what was decided in a table, and beside one
                 patient at a time
    plan-slope   the same for a hundredth, a tenth and all of --patients N
    plan-beside-pages  a caller's queue page while all others are planned for, beside at rest
    assign       a caller proposed for everybody who waits, read, solved and written, beside the
                 bare solver on the same graph
    start        scripts/run, a second time, to its first pages, beside a bare gunicorn
    outbox       texts sent by 1, 2 and 4 workers to a stub, some killed at random, beside the
                 bare driver claiming and marking the same rows (PostgreSQL)
    outbox-many  texts written by two dispatchers, each started twice, and sent by --workers N
                 meanwhile: none lost, none twice; beside the bare driver over the same rows
                 (PostgreSQL; --texts N)
    outbox-pace  texts by one sender with a pace of --rate segments a second and --workers N:
                 never more in any ten seconds (PostgreSQL; --texts N)
    patient-list the list by HbA1c and silence, page and count, beside one plain statement
    reports      the adherence report of one clinic over 26 weeks among --calls N, beside bare
                 statements over the roll-ups; with what rolling up takes
    reports-slope  the same for a clinic of one size among a twentieth, a quarter and all of
                 --calls N
    outcomes     the change of HbA1c of a clinic of 5,000 among --patients N, of all clinics, and
                 all that the page says, beside one statement each
    cohort       the cohort board of a clinic of 5,000, beside one statement
    restore      a backup put back and counted, beside the bare tool bringing back the same file
    import       a table of patients, beside the driver writing the rows that came of it
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.benches import (
    assign,
    cohort,
    imports,
    log_call,
    outbox,
    outbox_many,
    outcomes,
    patient_list,
    plan,
    plan_beside,
    plan_slope,
    queue_page,
    reports,
    reports_slope,
    restoring,
    starting,
)

BENCHES = {
    "queue-page": queue_page.run,
    "log-call": log_call.run,
    "plan": plan.run,
    "plan-beside-pages": plan_beside.run,
    "plan-slope": plan_slope.run,
    "assign": assign.run,
    "start": starting.run,
    "import": imports.run,
    "outbox": outbox.run,
    "patient-list": patient_list.run,
    "reports": reports.run,
    "reports-slope": reports_slope.run,
    "outcomes": outcomes.run,
    "cohort": cohort.run,
    "restore": restoring.run,
}
MANY = {"outbox-many": outbox_many.run_many, "outbox-pace": outbox_many.run_pace}


def main() -> None:
    """Run one bench and print what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=[*BENCHES, *MANY], metavar="NAME")
    parser.add_argument("--patients", type=int, metavar="N")
    parser.add_argument("--calls", type=int, metavar="N", help="of reports, in place of patients")
    parser.add_argument(
        "--texts", type=int, metavar="N", help="of the outbox, in place of patients"
    )
    parser.add_argument("--workers", type=int, metavar="N")
    parser.add_argument("--rate", type=int, metavar="R", help="segments a second")
    parser.add_argument("--database", metavar="URL")
    chosen = parser.parse_args()
    if chosen.name in MANY:
        many = MANY[chosen.name]
        many(chosen.texts, chosen.database, chosen.workers, chosen.rate).show()
        return
    count = chosen.calls if chosen.name.startswith("reports") else chosen.texts or chosen.patients
    BENCHES[chosen.name](count, chosen.database).show()


if __name__ == "__main__":
    main()
