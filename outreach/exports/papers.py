"""Which reports can be set on paper, and by what. Loaded with the first: it needs Flask's words."""

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from outreach.exports import call_papers, day_papers, outcome_papers
from outreach.exports.asked_of import Question
from outreach.exports.paper import Paper
from outreach.exports.rules import Content

PAPERS: Mapping[Content, Callable[[Session, Question], Paper]] = {
    Content.TODAY: day_papers.today_paper,
    Content.ADHERENCE: call_papers.adherence_paper,
    Content.AROUND: day_papers.around_paper,
    Content.OUTCOMES: outcome_papers.outcomes_paper,
    Content.BOARD: outcome_papers.board_paper,
}
