"""Paper says what its page says: every section, and every figure with its two parts."""

import html
import json
import re

import pytest

from outreach.exports.paper import TEMPLATES
from outreach.exports.rules import Content
from tests.integration.exports.conftest import House
from tests.integration.exports.test_papers import PAGES, button_of, on_paper

# "3 of 13", "26 for 13", "13 in 39 weeks": figures as pages write them.
FIGURE = re.compile(r"\b\d[\d,.]* (?:of|for|in) \d[\d,]*\b")
LEFT_OUT = re.compile(r"\b\d[\d,]* (?:open|cancelled|missed|not judged yet|new|gone|never dialled)")
# Sections that paper has in another shape: all four charts at once, the chosen measure by name.
OTHERWISE = {
    "Calls completed, last 26 weeks": "By week, last 26 weeks",
    "In groups": "In groups: #data",
}
ASKED = {
    Content.ADHERENCE: ("by=caller", "by=sex", "by=phase", "by=week", "by=phq9"),
    Content.OUTCOMES: ("by=sex&measure=hba1c&point=month_6", "by=age&measure=phq9&point=month_3"),
    Content.BOARD: ("",),
    Content.AROUND: ("by=language", "by=caller"),
}

TEMPLATE_OF = {
    Content.ADHERENCE: "adherence.typ",
    Content.OUTCOMES: "outcomes.typ",
    Content.BOARD: "cohort.typ",
    Content.AROUND: "around.typ",
}


def said(page: str) -> str:
    """Return the words of a page, without charts and what leads elsewhere."""
    for tag in ("figure", "nav", "form", "header", "footer", "head"):
        page = re.sub(rf"<{tag}\b.*?</{tag}>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def headings(page: str) -> list[str]:
    found = re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page, flags=re.DOTALL)
    return [said(each) for each in found]


@pytest.mark.parametrize(
    ("content", "asked"), [(content, each) for content, all_of in ASKED.items() for each in all_of]
)
def test_paper_says_every_figure_and_section_of_its_page(
    full_house: House, content: Content, asked: str
) -> None:
    page = full_house.client.get(f"{PAGES[content].split('&measure')[0]}&{asked}").text
    main = page[page.index("<main") : page.index("</main>")]

    data = on_paper(full_house, content, button_of(page, content))

    paper = json.dumps(data, ensure_ascii=False, default=str)
    figures = FIGURE.findall(said(main)) + LEFT_OUT.findall(said(main))
    assert len(figures) > 5
    empty = {"0 of 0", "0 for 0", "0 in 0"}  # paper has a dash
    assert [each for each in figures if each not in paper and each not in empty] == []
    template = "".join(
        (TEMPLATES / each).read_text() for each in (TEMPLATE_OF[content], "report.typ")
    )
    known = [each for each in headings(main) if not each.startswith("Clinics side by side")]
    assert [
        each
        for each in known
        if OTHERWISE.get(each, each) not in template and each.casefold() not in paper.casefold()
    ] == []


def test_dials_by_group_are_on_paper_as_on_the_page(full_house: House) -> None:
    page = full_house.client.get(f"{PAGES[Content.ADHERENCE]}&by=sex").text

    data = on_paper(full_house, Content.ADHERENCE, button_of(page, Content.ADHERENCE))

    dials = data["dials"]
    assert dials["in_groups"] == "By dial, in groups: Sex"
    assert dials["groups"]["head"] == ["Sex", "dial 1", "dial 2", "dial 3"]
    [women] = dials["groups"]["rows"]
    assert women == ["Women", *(row[1] for row in dials["figures"]["rows"])]
    assert dials["about"] in said(page)
