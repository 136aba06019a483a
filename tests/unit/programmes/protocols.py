"""Protocols that make sense, drawn by hypothesis."""

from hypothesis import strategies as st

from outreach.programmes.rules import (
    AttemptPolicy,
    FollowUpPolicy,
    MeasurePoint,
    Milestone,
    Phase,
    Protocol,
    Rhythm,
)

NAMES = st.text("abc éñ-7", min_size=1, max_size=20).filter(str.strip)


@st.composite
def phases(draw: st.DrawFn, number: int, first_week: int) -> Phase:
    rhythm = draw(st.sampled_from(Rhythm))
    most = 7 if rhythm is Rhythm.CALLS_PER_WEEK else 28
    choices = sorted(draw(st.sets(st.integers(1, most), min_size=1, max_size=6)))
    return Phase(
        f"phase_{number}",
        first_week,
        first_week + draw(st.integers(0, 20)),
        rhythm,
        tuple(choices),
        draw(st.sampled_from(choices)),
        draw(NAMES),
    )


@st.composite
def attempts(draw: st.DrawFn) -> AttemptPolicy:
    dials = draw(st.integers(1, 10))
    return AttemptPolicy(
        max_dials=dials,
        max_dials_per_day=draw(st.integers(1, min(5, dials))),
        min_days=draw(st.integers(1, min(7, dials))),
        min_dayparts=draw(st.integers(1, min(3, dials))),
        hours_between=draw(st.integers(0, 24)),
    )


@st.composite
def follow_ups(draw: st.DrawFn) -> FollowUpPolicy:
    review, silent = draw(st.integers(1, 20)), draw(st.integers(7, 300))
    return FollowUpPolicy(
        missed_to_review=review,
        missed_to_check=draw(st.integers(review, 20)),
        silent_days_early=draw(st.integers(1, silent)),
        silent_days_late=silent,
        early_weeks=draw(st.integers(0, 104)),
        unreachable_days=draw(st.integers(silent, 365)),
        missed_to_welfare=draw(st.integers(0, 50)),
        silent_days_welfare=draw(st.integers(0, 365)),
    )


@st.composite
def measure_points(draw: st.DrawFn) -> tuple[MeasurePoint, ...]:
    found, day = [], draw(st.integers(-90, 0))
    for number in range(draw(st.integers(0, 4))):
        before, after = draw(st.integers(0, 40)), draw(st.integers(0, 40))
        measures = draw(st.sampled_from([("hba1c",), ("hba1c", "phq9_total"), ("weight",)]))
        target = day + before
        point = MeasurePoint(f"p{number}", draw(NAMES), measures, target, day, target + after)
        found.append(point)
        day = point.until_day + draw(st.integers(1, 20))
    return tuple(found)


@st.composite
def milestones(draw: st.DrawFn, days: int) -> tuple[Milestone, ...]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        first = draw(st.integers(0, days - 1))
        last = first + draw(st.integers(0, 30))
        found.append(Milestone(f"m{number}", draw(NAMES), first, last))
    return tuple(found)


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """Protocols without a flaw, of up to 84 weeks."""
    found: list[Phase] = []
    for number in range(draw(st.integers(1, 4))):
        found.append(draw(phases(number, found[-1].last_week + 1 if found else 1)))
    return Protocol(
        phases=tuple(found),
        attempts=draw(attempts()),
        reminder_lead_minutes=60 * draw(st.integers(1, 168)),
        minutes_per_call=draw(st.integers(5, 240)),
        follow_up=draw(follow_ups()),
        measure_points=draw(measure_points()),
        milestones=draw(milestones(7 * found[-1].last_week)),
        measure_lead_days=draw(st.none() | st.integers(0, 90)),
    )
