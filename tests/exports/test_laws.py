"""The library as a page to read."""

import re
from dataclasses import replace

import pytest

from incident.domain import editions, lawbook
from incident.domain.editions import LawText, Origin
from incident.domain.lawbook import Confidence
from incident.exports.clausewords import condition
from incident.exports.laws import paper
from tests.domain.test_editions import a_law
from tests.domain.test_lawcheck import RICH

WHOLE = paper(editions.shipped())


def page(*own: LawText) -> str:
    library = [LawText("xx/law.toml", RICH.encode())]
    return paper(editions.edition("1.0", Origin.SHIPPED, library, own))


def test_every_law_and_duty_is_on_the_page_with_its_citation():
    for law in lawbook.library():
        assert f"\n### {law.id}\n" in WHOLE
        assert f"`{law.path}`" in WHOLE
        for duty in law.duties:
            assert f"(`{duty.id}`)" in WHOLE
            assert f"](<{duty.cite.href}>)" in WHOLE


def test_every_link_of_the_index_leads_to_a_law():
    index = WHOLE.split("## Index")[1].split("\n## ")[0]
    links = re.findall(r"\(#([a-z0-9-]+)\)", index)
    assert sorted(links) == sorted(law.id.lower() for law in lawbook.library())


def test_the_counts_by_confidence_are_those_of_the_library():
    duties = [duty for law in lawbook.library() for duty in law.duties]
    for word in Confidence:
        assert f"| {word.value} | {word.words} | {sum(duty.confidence is word for duty in duties)} |" in WHOLE


def test_the_laws_of_a_state_stand_after_those_of_its_country():
    assert WHOLE.index("### US-HIPAA-500") < WHOLE.index("### US-AK") < WHOLE.index("### US-WY")
    assert WHOLE.count("\n## United States\n") == 1


def test_a_law_is_told_with_condition_clock_exception_and_confidence():
    assert (
        page().split("### XX-LAW")[1]
        == """

A law

- Authority: Somebody
- Place: France (FR)
- Speaks to: people in France are concerned, or the organisation is established there
- Unless: Encrypted (“Was the data encrypted or hashed?” Yes, to the state of the art)
- File: `xx/law.toml`

**Do tell** (`tell`)

- To: the authority
- When: more than 500 people in France
- Clock: 72 h from when you became aware
- In force: since 2020-01-01
- Source: [Art. 1](<https://example.org/law>), read on 2026-01-01
- Confidence: verified: read in the law or on the authority's page
"""
    )


def test_an_overruled_law_and_the_file_that_sets_it_aside_both_say_so():
    mark = 'kind = "contract"\noverrules = "XX-LAW"\noverrules_because = "Counsel reads it otherwise."'
    told = page(LawText("own/a.toml", a_law(id_="OWN-A", more=mark, hours=24).encode()))
    assert "- Set aside: Overruled by your own file OWN-A: Counsel reads it otherwise." in told
    assert "- Sets aside: XX-LAW: Counsel reads it otherwise." in told
    assert "- Kind: a contract" in told


def test_words_of_a_file_cannot_pass_for_markup():
    law = RICH.replace('name = "A law"', 'name = "<script> [x](y) *z* `q` | w"')
    made = editions.edition("1.0", Origin.SHIPPED, [LawText("xx/law.toml", law.encode())])
    assert r"\<script> \[x\](y) \*z\* \`q\` \| w" in paper(made)


def test_the_page_depends_on_the_files_alone():
    made = editions.shipped()
    assert paper(replace(made, texts=tuple(reversed(made.texts)))) == WHOLE


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"residents": {"least": 1}}, "people in Texas"),
        ({"residents": {"more": 1000, "in": "EU"}}, "more than 1,000 people in the European Union"),
        ({"people": {"least": 5, "less": 10}}, "at least 5 and fewer than 10 people concerned"),
        ({"not": {"established": True}}, "not (the organisation is established in Texas)"),
        ({"offers": "CN"}, "goods or services are offered to people in mainland China"),
        ({"kinds": ["ssn", "name"]}, "kinds of data: social security number / name"),
        ({"cac_level": "relatively_major"}, "Chinese grade: relatively major"),
        ({"notice_cost": {"more": 5}}, "What telling each person directly would cost: more than 5"),
        (
            {"any": [{"kinds": "ssn", "minors": True}, {"people": {"more": 5}}]},
            "((kinds of data: social security number and “Are children among them?” yes) or more than 5 people concerned)",
        ),
        (None, ""),
    ],
)
def test_a_condition_is_a_phrase(raw, words):
    assert condition(raw, "US-TX") == words
