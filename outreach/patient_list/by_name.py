"""Who is on a page of the list that is sorted by what is encrypted: names and record numbers.

The directory knows the order, SQL knows who is on the list. Of a short list SQL gives everybody,
to be put in order here. A long one is walked in its order, some patients at a time, until a page
is full: it is long, so that is soon.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.patient_list.rules import Sort, Wanted
from outreach.patient_list.selecting import Condition, Frame
from outreach.patients.models import Patient
from outreach.searching.names import By

SHORT = 2_000  # patients
_STEPS = (200, 1_000, 5_000, 20_000)  # of a walk; the last again and again
ORDERS = {Sort.NAME: By.NAME, Sort.RECORD: By.RECORD}


def ids_of(
    session: Session,
    frame: Frame,
    wanted: Wanted,
    met: Sequence[Condition],
    *,
    behind_id: int | None,
    is_turned: bool,
    most: int,
) -> list[int]:
    """Return ``most`` patients, at most, who meet ``met`` and come later than ``behind_id``.

    Args:
        is_turned: read from the end of the alphabet.
    """
    by, directory = ORDERS[wanted.sort], frame.directory
    met_ids = select(Patient.id).where(*met)
    ids = session.scalars(met_ids.limit(SHORT + 1)).all()
    if len(ids) <= SHORT:
        if behind_id is not None:
            ids = directory.behind(ids, behind_id, by, is_turned=is_turned)
        return directory.sorted(ids, by, is_turned=is_turned)[:most]
    walk = directory.in_order(by, behind_id, is_turned=is_turned)
    found: list[int] = []
    for step in _steps(walk):
        here = set(session.scalars(met_ids.where(among(Patient.id, step))))
        found += [each for each in step if each in here]
        if len(found) >= most:
            break
    return found[:most]


def _steps(walk: Iterator[int]) -> Iterator[list[int]]:
    number = 0
    while step := list(islice(walk, _STEPS[min(number, len(_STEPS) - 1)])):
        yield step
        number += 1
