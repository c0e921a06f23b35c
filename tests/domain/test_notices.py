"""The life of a notice: every stage meets every event, and a second person's yes is bound to a digest."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from incident.domain import notices
from incident.domain.errors import Invalid, Refused
from incident.domain.notices import SECTIONS, Channel, Draft, Event, Stage, Text
from incident.domain.people import Audience

DRAFT, SUBMITTED, APPROVED, SENDING, SENT, WITHDRAWN = Stage
NO = None

# Every cell: the stage after the event, or NO for a refusal.
CELLS = {
    #            EDIT   SUBMIT     SEND_BACK APPROVE   VOID   START    FINISH WITHDRAW
    DRAFT: (DRAFT, SUBMITTED, NO, NO, DRAFT, NO, NO, WITHDRAWN),
    SUBMITTED: (DRAFT, SUBMITTED, DRAFT, APPROVED, DRAFT, NO, NO, WITHDRAWN),
    APPROVED: (DRAFT, NO, DRAFT, APPROVED, DRAFT, SENDING, NO, WITHDRAWN),
    SENDING: (NO, NO, NO, NO, NO, SENDING, SENT, NO),
    SENT: (NO, NO, NO, NO, NO, NO, SENT, NO),
    WITHDRAWN: (NO, NO, NO, NO, NO, NO, NO, WITHDRAWN),
}


@pytest.mark.parametrize(("stage", "event"), list(product(Stage, Event)))
def test_every_stage_answers_every_event(stage, event):
    expected = CELLS[stage][list(Event).index(event)]
    assert notices.allowed(stage, event) is (expected is not NO)
    if expected is NO:
        with pytest.raises(Refused) as refusal:
            notices.after(stage, event)
        assert refusal.value.sentence.endswith(".")
    else:
        assert notices.after(stage, event) is expected


def test_no_way_leads_to_sending_but_through_an_approval():
    ways = {(stage, event) for (stage, event), to in notices.TABLE.items() if to is Stage.SENDING and stage is not to}
    assert ways == {(Stage.APPROVED, Event.START)}
    ways = {(stage, event) for (stage, event), to in notices.TABLE.items() if to is Stage.APPROVED and stage is not to}
    assert ways == {(Stage.SUBMITTED, Event.APPROVE)}


@pytest.mark.parametrize(
    "hands",
    [
        {"drafter": "U-A", "editors": [], "submitter": "U-B"},
        {"drafter": "U-B", "editors": ["U-A", "U-C"], "submitter": "U-B"},
        {"drafter": "U-B", "editors": [], "submitter": "U-A"},
    ],
)
def test_whoever_had_a_hand_in_it_cannot_approve(hands):
    with pytest.raises(Refused, match="second person"):
        notices.demand_second_person("U-A", **hands)


def test_somebody_else_may_approve():
    notices.demand_second_person("U-D", drafter="U-A", editors=["U-B"], submitter="U-C")


def test_a_page_out_of_date_decides_nothing():
    notices.demand_same("abc", "abc")
    with pytest.raises(Refused, match="out of date"):
        notices.demand_same("abc", "abd")
    with pytest.raises(Refused, match="out of date"):
        notices.demand_same("", "abd")


@pytest.mark.parametrize("typed", ["48210", "48,210", " 48 210 ", "48.210", "48'210", "４８２１０"])
def test_the_number_of_people_is_typed_as_people_write_it(typed):
    notices.demand_count(typed, 48210)


@pytest.mark.parametrize("typed", ["", "4821", "48211", "all", "-48210", "48210.0", "0x5"])
def test_another_number_is_refused_and_the_right_one_told(typed):
    with pytest.raises(Invalid) as refusal:
        notices.demand_count(typed, 48210)
    assert refusal.value.field == "people"
    assert "48,210" in refusal.value.sentence


def contents(**changes):
    draft = Draft(
        ref="N-1",
        texts=(Text("en", subject="S", sections={"contact": "C"}),),
        channels=(Channel.EMAIL, Channel.SMS),
        audience={"wave": 1},
        senders={"email": "a@example.org"},
        send_at=None,
    )
    people = {"people": 3, "audience_digest": "d", "values": {"en": {"company.name": "X"}}}
    for name, value in changes.items():
        if name in people:
            people[name] = value
        else:
            draft = Draft(**{**vars(draft), name: value})
    return notices.contents(draft, **people)


@pytest.mark.parametrize(
    "change",
    [
        {"ref": "N-2"},
        {"texts": (Text("en", subject="T", sections={"contact": "C"}),)},
        {"texts": (Text("en", subject="S", sections={"contact": "C "}),)},
        {"texts": (Text("en", subject="S", sections={"contact": "C"}, covers={"dates": "contact"}),)},
        {"texts": (Text("zh-Hans", subject="S", sections={"contact": "C"}),)},
        {"channels": (Channel.SMS, Channel.EMAIL)},
        {"channels": (Channel.EMAIL,)},
        {"audience": {"wave": 2}},
        {"senders": {"email": "b@example.org"}},
        {"send_at": datetime(2026, 11, 22, tzinfo=UTC)},
        {"site": "https://elsewhere.example.org"},
        {"california": True},
        {"people": 4},
        {"audience_digest": "e"},
        {"texts": (Text("zh-Hans"), Text("en"))},
        {"values": {"en": {"company.name": "Y"}}},
    ],
)
def test_whatever_will_reach_people_changes_the_digest(change):
    assert notices.digest(contents(**change)) != notices.digest(contents())


def test_the_digest_does_not_depend_on_the_order_of_keys_and_never_moves():
    assert notices.digest({"a": 1, "b": {"c": 2, "d": "é"}}) == notices.digest({"b": {"d": "é", "c": 2}, "a": 1})
    assert notices.digest({"a": 1}) == "b30cd77c5bce740524e3dbf6b7e9fef2f078e75f3f8800256606ca2f1267487d"


def test_a_text_comes_back_as_it_was_kept():
    text = Text(
        "en", "S", "Hi", {name: name for name in SECTIONS}, "sms", "call", "title", "body", {"dates": "contact"}
    )
    assert notices.text_from_json("en", notices.text_as_json(text)) == text


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (Text("en", subject="x" * 201), "subject"),
        (Text("en", sections={"contact": "x" * 12_001}), "contact"),
        (Text("en", sections={"other": "x"}), "other"),
        (Text("en", covers={"dates": "other"}), "covers"),
        (Text("en", covers={"unheard_of": "contact"}), "covers"),
        (Text("en", sms="x" * 1601), "sms"),
    ],
)
def test_what_no_channel_takes_is_refused_by_name(text, field):
    with pytest.raises(Invalid) as refusal:
        notices.checked_text(text)
    assert refusal.value.field == field


def test_an_element_is_held_by_its_section_or_the_one_said_to_cover_it():
    text = Text(
        "en",
        sections={"contact": "Write to us.", "what_we_offer": " "},
        covers={"dates": "contact", "x": "what_we_offer"},
    )
    assert text.holds("contact")
    assert text.holds("dates")
    assert not text.holds("what_we_offer")
    assert not text.holds("x")
    assert not text.holds("unheard_of")


@pytest.mark.parametrize(
    ("wanted", "languages", "given"),
    [
        ("en", ("en", "zh-Hans"), "en"),
        ("zh-CN", ("en", "zh-Hans"), "zh-Hans"),
        ("zh", ("en", "zh-Hans"), "zh-Hans"),
        ("en-GB", ("zh-Hans", "en"), "en"),
        ("zh-TW", ("en", "zh-Hans"), "en"),
        ("fr", ("en", "zh-Hans"), "en"),
        ("", ("zh-Hans", "en"), "zh-Hans"),
    ],
)
def test_people_are_written_in_their_language_or_the_first(wanted, languages, given):
    assert notices.language_for(wanted, languages) == given


def test_who_finds_no_language_of_theirs_is_known():
    assert notices.speaks("zh-SG", ("zh-Hans",))
    assert notices.speaks("", ("en",))
    assert not notices.speaks("zh-Hant", ("zh-Hans",))
    assert not notices.speaks("es", ("en",))


def test_the_order_of_languages_is_part_of_the_digest_since_the_first_serves_whoever_has_no_other():
    english, chinese = Text("en", subject="S"), Text("zh-Hans", subject="S")
    assert notices.digest(contents(texts=(english, chinese))) != notices.digest(contents(texts=(chinese, english)))


def test_what_is_kept_is_cleaned_once():
    kept = notices.checked_text(Text("en", sms="a\x00b\ud800\u202e", sections={"contact": "one\r\ntwo"}))
    assert (kept.sms, kept.sections["contact"]) == ("ab", "one\ntwo")


NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("audience", "send_at", "field"),
    [
        (Audience(waves=(0,)), None, "waves"),
        (Audience(waves=(10**40,)), None, "waves"),
        (Audience(places=("DE",) * 501), None, "audience"),
        (Audience(languages=("x" * 13,)), None, "audience"),
        (Audience(languages=("\x00",)), None, "audience"),
        (Audience(), datetime(9999, 12, 31, tzinfo=UTC), "send_at"),
        (Audience(), datetime(1, 1, 1, tzinfo=UTC), "send_at"),
    ],
)
def test_an_audience_or_time_that_no_notice_has_is_refused_by_name(audience, send_at, field):
    with pytest.raises(Invalid) as refusal:
        notices.demand_usable(audience, send_at, NOW)
    assert refusal.value.field == field
    notices.demand_usable(Audience(waves=(1,), places=("DE",)), NOW, NOW)


def test_the_digest_is_that_of_canonical_json_under_a_word_of_its_own():
    canonical = '{"a":[1,2],"b":{"x":null,"ü":"é"}}'
    expected = hashlib.sha256(notices.DOMAIN + canonical.encode()).hexdigest()
    assert notices.digest({"b": {"ü": "é", "x": None}, "a": [1, 2]}) == expected


def test_an_element_left_to_elsewhere_is_held_and_blanks_hold_nothing():
    text = Text(
        "en",
        sections={"contact": "  \n", "remedies": "Ask us."},
        covers={"kept": notices.NOT_HERE, "other": "remedies"},
    )
    assert text.holds("kept") is True
    assert text.holds("other") is True
    assert text.holds("contact") is False
    assert text.holds("nowhere") is False


def test_a_notice_to_everybody_at_once_is_handed_to_nobody_one_by_one():
    with pytest.raises(Refused, match="speaks to everybody"):
        notices.demand_to_each([Channel.ANNOUNCEMENT])
    notices.demand_to_each([Channel.ANNOUNCEMENT, Channel.EMAIL])
    notices.demand_to_each([Channel.EMAIL])


def test_lists_are_passed_over_by_their_names_in_their_order():
    assert notices.lists_passed_over(["complained", "unsubscribed", "complained"]) == tuple(notices.Despite)
    assert notices.lists_passed_over([]) == ()
    with pytest.raises(Invalid) as refusal:
        notices.lists_passed_over(["unsubscribed", "everybody"])
    assert refusal.value.field == "despite"


def test_texts_are_the_same_to_the_letter_and_channels_in_their_order():
    version = {"texts": {"en": {"subject": "a"}}, "channels": ["email", "sms"]}
    assert notices.same_text(version, {"en": {"subject": "a"}}, ["email", "sms"])
    assert not notices.same_text(version, {"en": {"subject": "A"}}, ["email", "sms"])
    assert not notices.same_text(version, {"en": {"subject": "a"}}, ["sms", "email"])


@pytest.mark.parametrize(
    ("audience", "field"),
    [
        (Audience(waves=(0,)), "waves"),
        (Audience(waves=(notices.LAST_WAVE + 1,)), "waves"),
        (Audience(languages=("x" * (notices.LONGEST_TAG + 1),)), "audience"),
        (Audience(languages=("e\x00n",)), "audience"),
        (Audience(ages=("old",)), "ages"),
        (Audience(places=tuple(f"P{n}" for n in range(notices.MOST_CHOICES + 1))), "audience"),
    ],
)
def test_an_audience_one_beyond_its_bounds_is_refused(audience, field):
    with pytest.raises(Invalid) as refusal:
        notices.demand_usable(audience, None, NOW)
    assert refusal.value.field == field


def test_an_audience_at_its_bounds_is_taken():
    notices.demand_usable(
        Audience(waves=(1, notices.LAST_WAVE), languages=("x" * notices.LONGEST_TAG,)), NOW + notices.FARTHEST, NOW
    )
    notices.demand_usable(
        Audience(places=tuple(f"P{n}" for n in range(notices.MOST_CHOICES))), NOW - notices.FARTHEST, NOW
    )
    with pytest.raises(Invalid, match="coming year"):
        notices.demand_usable(Audience(), NOW + notices.FARTHEST + timedelta(seconds=1), NOW)


def test_the_parts_of_a_version_keep_the_names_under_which_older_versions_are_read():
    version = contents(despite=(), site="https://example.org", california=True)
    assert list(version) == [
        "notice", "layout", "languages", "texts", "channels", "ladder", "audience", "senders", "send_at", "values", "despite",
    ]  # fmt: skip
    assert version["layout"] == {"version": notices.LAYOUT, "site": "https://example.org", "california": True}
    assert version["audience"] == {"filter": {"wave": 1}, "people": 3, "digest": "d"}
    assert (version["notice"], version["despite"], version["send_at"]) == ("N-1", [], None)
    assert "despite" not in contents(channels=(Channel.SMS,))


def test_letters_that_no_digest_can_stand_for_are_refused_and_not_replaced():
    with pytest.raises(UnicodeEncodeError):
        notices.digest({"a": "\ud800"})


@pytest.mark.parametrize(("name", "most"), [one for one in notices.LONGEST.items() if one[0] != "title"])
def test_a_text_is_taken_at_its_longest_and_not_beyond(name, most):
    assert getattr(notices.checked_text(Text("en", **{name: "x" * most})), name) == "x" * most
    with pytest.raises(Invalid) as refusal:
        notices.checked_text(Text("en", **{name: "x" * (most + 1)}))
    assert refusal.value.field == name


def test_a_section_is_taken_at_its_longest():
    long = "x" * notices.LONGEST_SECTION
    assert notices.checked_text(Text("en", sections={"contact": long})).sections == {"contact": long}


@pytest.mark.parametrize("wanted", ["zh-Hant", "zh_Hant", "ZH-HANT", "zh-TW", "zh-HK", "zh-MO", "zh_mo"])
def test_readers_of_traditional_characters_find_theirs_however_it_is_written(wanted):
    assert notices.language_for(wanted, ("en", "zh-Hans", "zh-Hant")) == "zh-Hant"
    assert notices.speaks(wanted, ("zh_Hant",))


@pytest.mark.parametrize("wanted", ["zh", "zh-CN", "zh-SG", "zh_Hans_HK", "zh-Hans-MO"])
def test_readers_of_simplified_characters_find_theirs_wherever_they_live(wanted):
    assert notices.language_for(wanted, ("en", "zh-Hant", "zh-Hans")) == "zh-Hans"
    assert not notices.speaks(wanted, ("zh-Hant",))


def test_a_tongue_is_the_same_in_every_country():
    assert notices.language_for("pt_BR", ("en", "pt-PT")) == "pt-PT"
