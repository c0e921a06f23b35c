"""What a notice must contain, and every hurdle before it can be submitted."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from incident.domain import merges, musts, starters
from incident.domain.errors import Invalid
from incident.domain.facts import Facts
from incident.domain.lawbook import Channel as Way
from incident.domain.lawbook import elements
from incident.domain.musts import Cite, Crowd, Duty
from incident.domain.notices import NOT_HERE, SECTIONS, Channel, Text, checked_text

SITE = "https://incidents.example.org"
GDPR = Duty(
    Cite("EU-GDPR", "Art. 34(2)", "https://eur-lex.europa.eu/eli/reg/2016/679/oj"),
    ("what_happened", "consequences", "what_we_do", "contact"),
)
CONNECTICUT = Duty(Cite("US-CT", "36a-701b(b)(2)(B)"), ("what_we_offer",))
MASSACHUSETTS = Duty(Cite("US-MA", "93H § 3"), (), ("nature_of_breach",))
TEXT = Text(
    "en",
    subject="Notice",
    greeting="Hello,",
    sections={name: f"About {name}." for name in SECTIONS},
    sms="See {{ link.check }}",
    call="Call.",
    push_title="Notice",
    push_body="See {{ link.check }}",
    covers={"consequences": "what_happened"},
)
COMPANY = {"name": "Example", "contact": "Office", "email": "p@example.org", "phone": "1", "address": "Street 1"}
CROWD = Crowd(people=10)


def values(*languages: str, facts: Facts | None = None):
    made = {}
    for language in languages or ("en",):
        around = starters.words(language)
        house = merges.house_values(COMPANY, site=SITE, ref="N-1", day=date(2026, 11, 20), words=around)
        made[language] = house | merges.fact_values(facts or Facts(), around, UTC)
    return made


def found(*texts: Text, channels=(Channel.EMAIL,), duties=(), crowd=CROWD, **more):
    texts = texts or (TEXT,)
    known = more.pop("values", None) or values(*(text.language for text in texts))
    return musts.hurdles(texts, channels, duties, crowd, known, site=SITE, **more)


def sentences(*texts: Text, **more):
    return [hurdle.sentence for hurdle in found(*texts, **more)]


def without(section: str, text: Text = TEXT) -> Text:
    return replace(text, sections={**text.sections, section: "  "})


def test_a_whole_notice_has_no_hurdle():
    assert found(channels=tuple(Channel), duties=(GDPR, CONNECTICUT)) == ()


def test_a_missing_element_blocks_with_its_citation():
    (hurdle,) = found(without("what_we_offer"), duties=(GDPR, CONNECTICUT))
    assert hurdle.sentence == "What we offer is missing in English."
    assert (hurdle.where, hurdle.language, hurdle.cites) == ("what_we_offer", "en", (CONNECTICUT.cite,))


def test_without_a_duty_that_asks_for_it_an_offer_may_be_left_out():
    assert found(without("what_we_offer"), duties=(GDPR,)) == ()


def test_what_every_notice_says_is_asked_for_even_when_no_law_is_known():
    assert sentences(without("contact")) == ["Whom to contact is missing in English."]


def test_an_element_of_a_law_of_its_own_is_covered_by_the_section_said_to():
    assert sentences(replace(TEXT, covers={}), duties=(GDPR,)) == [
        "Likely consequences for the people concerned is missing in English."
    ]


def test_each_language_must_hold_everything():
    chinese = replace(TEXT, language="zh-Hans", sections={**TEXT.sections, "what_you_can_do": ""})
    (hurdle,) = found(TEXT, chinese)
    assert (hurdle.language, hurdle.sentence) == ("zh-Hans", "What you can do is missing in 简体中文.")


def test_needs_name_each_element_once_with_all_its_citations():
    other = Duty(Cite("UK-GDPR", "Art. 34(2)"), ("what_happened",))
    needs = musts.needs((GDPR, other), (TEXT,))
    assert [need.element for need in needs] == [*[s for s in SECTIONS if s != "what_we_offer"], "consequences"]
    assert needs[0].cites == (GDPR.cite, other.cite)
    assert needs[-1].section == "what_happened"
    assert all(need.met for need in needs)


def test_prompts_of_the_starter_text_block():
    text = replace(TEXT, sections={**TEXT.sections, "what_we_do": "- Done.\n- [… more]"}, sms="[... short]")
    assert [(h.where, "prompt" in h.sentence) for h in found(text, channels=(Channel.EMAIL, Channel.SMS))] == [
        ("what_we_do", True),
        ("sms", True),
    ]


def test_only_the_parts_of_the_chosen_channels_are_asked_for():
    text = replace(TEXT, sms="", call="", push_title="", push_body="")
    assert found(text) == ()
    assert [h.where for h in found(text, channels=tuple(Channel))] == ["sms", "call", "push_title", "push_body"]


def test_a_text_message_alone_cannot_hold_the_notice():
    (sentence,) = sentences(channels=(Channel.SMS, Channel.PUSH))
    assert "cannot hold" in sentence


def test_no_language_no_channel_and_nobody():
    assert [h.where for h in musts.hurdles((), (), (), Crowd(0), {}, site=SITE)][:3] == [
        "languages",
        "channels",
        "audience",
    ]


def test_an_announcement_alone_needs_no_list_of_people():
    assert found(channels=(Channel.ANNOUNCEMENT,), crowd=Crowd(0)) == ()


def test_an_unknown_field_and_a_foreign_link_block_at_their_section():
    broken = replace(TEXT, sections={**TEXT.sections, "contact": "[x](https://evil.example)"})
    (hurdle,) = found(broken)
    assert hurdle.where == "contact"
    assert "incidents.example.org only" in hurdle.sentence


def test_a_fact_without_value_is_named_with_its_cure():
    text = replace(TEXT, sections={**TEXT.sections, "what_happened": "On {{ fact.occurred_from }}."})
    assert sentences(text) == [
        "{{ fact.occurred_from }}: there is no value for it yet. Record the fact, or say it without the field."
    ]
    known = values(facts=Facts({"occurred_from": datetime(2026, 11, 1, tzinfo=UTC)}))
    assert found(text, values=known) == ()


def test_how_many_people_lack_a_value_is_told():
    text = replace(TEXT, greeting="Dear {{ person.name }},")
    assert found(text) == ()
    (sentence,) = sentences(text, crowd=Crowd(10, lacking={"person.name": 3}))
    assert sentence.startswith("{{ person.name }}: 3 people have no value for it.")


def test_an_announcement_cannot_name_one_person():
    text = replace(TEXT, sections={**TEXT.sections, "contact": "Your reference: {{ person.reference }}"})
    (sentence,) = sentences(text, channels=(Channel.EMAIL, Channel.ANNOUNCEMENT))
    assert "speaks to everybody" in sentence


def test_an_announcement_says_the_kinds_of_data_of_all():
    text = replace(TEXT, sections={**TEXT.sections, "what_information": "{{ person.exposed }}"})
    known = {"en": values()["en"] | merges.everybody(("email",), starters.words("en"))}
    assert found(text, channels=(Channel.ANNOUNCEMENT,), values=known) == ()
    assert "kinds of personal data" in sentences(text, channels=(Channel.ANNOUNCEMENT,))[0]


def test_what_a_law_does_not_want_is_flagged_with_its_citation():
    (flag,) = musts.forbidden((MASSACHUSETTS,), (TEXT,))
    assert (flag.where, flag.cites) == ("what_happened", (MASSACHUSETTS.cite,))
    assert musts.forbidden((MASSACHUSETTS,), (without("what_happened"),)) == ()


def test_people_whose_language_is_missing_are_counted():
    crowd = Crowd(10, {"en": 3, "es": 5, "fr": 1, "": 1, "zh-CN": 4})
    assert musts.unspoken(crowd, ("en", "zh-Hans")) == (("es", 5), ("fr", 1))


def test_the_layout_gives_the_date_of_the_notice():
    duty = Duty(Cite("US-CA", "1798.82(d)"), ("date_of_notice",))
    assert found(duties=(duty,)) == ()
    assert musts.needs((duty,), (TEXT,))[-1].met


def test_every_element_of_the_list_has_a_usual_place_in_a_section_or_none():
    assert set(musts.USUAL) == set(SECTIONS)
    assert musts.usual_section("credit_agencies") == "what_you_can_do"
    assert musts.usual_section("level") == ""
    assert {element for held in musts.USUAL.values() for element in held} <= set(elements())


def test_a_service_that_is_owed_has_to_be_offered_and_is_named():
    duty = Duty(Cite("US-CT", "36a-701b"), ("contact",), (), ("identity theft prevention, 24 months",))
    (hurdle,) = found(without("what_we_offer"), duties=(duty,))
    assert (hurdle.where, hurdle.cites) == ("what_we_offer", (duty.cite,))
    offer = next(need for need in musts.needs((duty,), (TEXT,)) if need.element == "what_we_offer")
    assert offer.at_least == ("identity theft prevention, 24 months",)


def test_an_element_may_be_set_aside_by_a_person_and_the_approver_sees_it():
    duty = Duty(Cite("US-CA", "1798.82(d)"), ("credit_agencies",))
    assert len(found(duties=(duty,))) == 1
    text = replace(TEXT, covers={**TEXT.covers, "credit_agencies": NOT_HERE})
    assert found(text, duties=(duty,)) == ()
    assert musts.needs((duty,), (text,))[-1].set_aside
    assert not musts.needs((duty,), (TEXT,))[-1].set_aside


def test_what_every_notice_says_cannot_be_set_aside():
    with pytest.raises(Invalid):
        checked_text(replace(TEXT, covers={"contact": NOT_HERE}))


EMAIL_OR_LETTER = (Way("letter"), Way("email", "the person agreed to it"))


def a_duty(*ways, confidence="verified", place="Art. 1"):
    return Duty(Cite("XX", place, confidence=confidence), (), ways=ways)


def test_a_channel_that_a_law_does_not_name_is_a_warning_with_its_citation():
    [warning] = musts.unnamed([a_duty(Way("letter"))], (Channel.LETTER, Channel.SMS, Channel.ANNOUNCEMENT))
    assert warning.sentence == "Text message: the law does not name it; it names letter."
    assert [cite.law for cite in warning.cites] == ["XX"]


def test_a_laws_condition_for_a_channel_is_said():
    [warning] = musts.unnamed([a_duty(*EMAIL_OR_LETTER)], (Channel.EMAIL, Channel.LETTER))
    assert warning.sentence == "E-mail: the law's condition is: the person agreed to it."


def test_laws_that_say_the_same_of_a_channel_share_a_warning():
    both = [a_duty(Way("letter"), place="Art. 1"), a_duty(Way("letter"), place="Art. 2")]
    [warning] = musts.unnamed(both, (Channel.SMS,))
    assert len(warning.cites) == 2


def test_a_law_that_names_no_ways_leaves_every_channel_free():
    assert musts.unnamed([a_duty()], tuple(Channel)) == ()
    assert musts.unlawful([a_duty()], tuple(Channel)) == ()


@pytest.mark.parametrize(
    ("channels", "confidence", "blocked"),
    [
        ((Channel.SMS,), "verified", True),
        ((Channel.SMS, Channel.CALL), "verified", True),
        ((Channel.SMS,), "secondary", False),  # a law that nobody has read itself only warns
        ((Channel.SMS, Channel.LETTER), "verified", False),
        ((Channel.ANNOUNCEMENT,), "verified", False),
    ],
)
def test_only_a_law_that_was_read_and_allows_none_of_the_channels_blocks(channels, confidence, blocked):
    found = musts.unlawful([a_duty(*EMAIL_OR_LETTER, confidence=confidence)], channels)
    assert bool(found) is blocked
    assert all(hurdle.where == "channels" for hurdle in found)
