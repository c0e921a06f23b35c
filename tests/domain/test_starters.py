"""Every language of notices is whole: its own words for each kind of data, its own voice, nothing borrowed from another."""

import re
from datetime import UTC, date

import pytest

from incident.domain import merges, musts, segments, starters
from incident.domain.facts import from_json, vocabulary
from incident.domain.notices import SECTIONS
from notifiers import spoken

KINDS = tuple(vocabulary().kinds)
SIMPLIFIED = set("个们为这发现应时对会请说证话务护联系关设备数网络标识级别类")


@pytest.mark.parametrize("language", starters.languages())
def test_each_kind_of_data_has_words_of_its_own(language):
    said = {merges.kinds_words([kind], starters.words(language)) for kind in KINDS}
    assert len(said) == len(KINDS)
    if language not in {"en", "zh-Hans"}:
        assert set(starters.words(language).kinds) == set(KINDS)


@pytest.mark.parametrize("language", starters.languages())
def test_the_folder_has_the_fields_that_the_english_one_has(language):
    fields = {
        name: set(re.findall(r"{{ *([a-z_.]+) *}}", getattr(starters.text(language), name)))
        for name in ("subject", "greeting", "sms", "call", "push_title", "push_body")
    } | {name: set(re.findall(r"{{ *([a-z_.]+) *}}", starters.text(language).sections[name])) for name in SECTIONS}
    english = {
        name: set(re.findall(r"{{ *([a-z_.]+) *}}", getattr(starters.text("en"), name)))
        for name in ("subject", "greeting", "sms", "call", "push_title", "push_body")
    } | {name: set(re.findall(r"{{ *([a-z_.]+) *}}", starters.text("en").sections[name])) for name in SECTIONS}
    assert fields == english


@pytest.mark.parametrize("language", starters.languages())
def test_what_surrounds_a_text_has_every_part_that_the_english_one_has(language):
    mine, english = starters.words(language), starters.words("en")
    for table in ("headings", "by_hand", "in_care", "public"):
        assert set(getattr(mine, table)) == set(getattr(english, table)), table
        for name, said in getattr(mine, table).items():
            gaps = set(re.findall(r"{([a-z]+)}", said))
            assert gaps == set(re.findall(r"{([a-z]+)}", getattr(english, table)[name])), (table, name)


def test_traditional_chinese_borrows_no_simplified_letter():
    words, text = starters.words("zh-Hant"), starters.text("zh-Hant")
    around = spoken.AROUND["zh-Hant"]
    said = "".join(
        (
            *text.sections.values(), text.subject, text.greeting, text.sms, text.call, text.push_title, text.push_body,
            words.title, words.check, words.date, words.correction, *words.headings.values(), *words.by_hand.values(),
            *words.in_care.values(), *words.public.values(), *words.kinds.values(), around.opening, around.ask,
            around.number, around.menu, around.call_back, around.sorry,
        )
    )  # fmt: skip
    assert SIMPLIFIED & set(said) == set()


USUAL = {
    "company.name": "Example Trading Ltd",
    "fact.occurred_from": "13 December 2026",
    "link.check": "https://notice.example.com/check",
    "notice.reference": "N-7K3MXW2Q",
    "person.code": "999999-8RTAXQ4C2M",
    "contact.phone": "+49 30 555 010",
}
EASTERN = {"company.name": "某某科技股份公司", "fact.occurred_from": "2026年3月13日"}


@pytest.mark.parametrize(
    ("language", "most"),
    [("de", 2), ("en", 2), ("es", 4), ("fr", 4), ("ja", 3), ("zh-Hans", 2), ("zh-Hant", 2)],
)
def test_a_text_carries_ones_own_code_and_needs_no_segment_more_for_it(language, most):
    sms = starters.text(language).sms
    assert "{{ link.check }}/{{ notice.reference }}-{{ person.code }}" in sms
    values = USUAL | (EASTERN if language[:2] in ("zh", "ja") else {})
    own = re.sub(r"{{ ([\w.]+) }}", lambda found: values[found[1]], sms)
    common = own.replace(f"/N-7K3MXW2Q-{values['person.code']}", " (reference N-7K3MXW2Q)")
    assert segments.length(own).segments == segments.length(common).segments == most


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "6. März 2026"),
        ("zh-Hant", "2026年3月6日"),
        ("en", "6 March 2026"),
        ("fr", "6 mars 2026"),
        ("es", "6 de marzo de 2026"),
        ("ja", "2026年3月6日"),
    ],
)
def test_days_are_written_as_the_language_writes_them(language, expected):
    assert merges.day_words(date(2026, 3, 6), starters.words(language)) == expected


@pytest.mark.parametrize("language", ["de", "zh-Hant"])
def test_a_fact_with_fixed_answers_has_no_words_rather_than_those_of_another_language(language):
    found = merges.fact_values(from_json({"role": "processor", "people_count": 1200}), starters.words(language), UTC)
    assert "fact.role" not in found
    assert found["fact.people_count"] == {"de": "1.200", "zh-Hant": "1,200"}[language]


@pytest.mark.parametrize("language", starters.languages())
def test_every_language_but_the_first_is_a_draft_until_a_speaker_has_confirmed_it(language):
    assert starters.words(language).draft == (language != "en")


@pytest.mark.parametrize("language", starters.languages())
def test_a_starter_holds_every_element_that_every_notice_says(language):
    text = starters.text(language)
    needs = musts.needs((), [text])
    assert [need.element for need in needs if not need.met] == []
    assert musts.sheets([text], site="https://notices.example.org", california=False)[1] == ()


@pytest.mark.parametrize("language", starters.languages())
def test_a_starter_asks_for_what_only_a_person_knows_in_the_same_places(language):
    def prompts(tag):
        text = starters.text(tag)
        named = {
            name: getattr(text, name) for name in ("subject", "greeting", "sms", "call", "push_title", "push_body")
        }
        return {name: len(musts.UNWRITTEN.findall(said)) for name, said in (named | dict(text.sections)).items()}

    assert prompts(language) == prompts("en")


@pytest.mark.parametrize("language", [tag for tag in starters.languages() if tag != "en"])
def test_no_section_of_a_starter_was_left_in_english(language):
    mine, english = starters.text(language).sections, starters.text("en").sections
    assert [name for name in SECTIONS if mine[name].splitlines()[0] == english[name].splitlines()[0]] == []
