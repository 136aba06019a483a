"""What a posted panels page says."""

from werkzeug.datastructures import MultiDict

from outreach.panels.forms import Answers


def test_reads_ticks_and_choices_and_passes_over_nonsense() -> None:
    posted = MultiDict(
        [
            ("pick", "7"),
            ("pick", "8"),
            ("pick", "x"),
            ("caller-7", "3"),
            ("caller-8", ""),
            ("caller-9", "4"),
            ("caller-zero", "5"),
        ]
    )

    answers = Answers.posted(posted)

    assert answers.wanted == {7: 3}
    assert answers.unanswered == {8}
