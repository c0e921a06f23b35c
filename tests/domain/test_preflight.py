"""What each look before a notice goes out comes to."""

from datetime import UTC, datetime

import pytest

from incident.domain import preflight
from incident.domain.preflight import Findings, Ground, Verdict, is_email, is_phone, results, worst

FRIDAY = datetime(2026, 3, 6, 16, tzinfo=UTC)


def ground(**changes):
    given = {
        "people": 10,
        "channels": ("email", "sms"),
        "opened": frozenset({"email", "sms"}),
        "languages": ("en",),
        "lacking": {},
        "unreached": 0,
        "by_language": {"en": 10},
        "first": {"email": {"DE": 10}},
        "hurdles": 0,
        "begins": FRIDAY,
    }
    return Ground(**(given | changes))


def look(what, found=None, **changes):
    return next((one for one in results(ground(**changes), found) if one.what == what), None)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ana@example.org", True),
        ("a.b+c_d@mail.example.co.uk", True),
        ("o'neill@example.org", True),
        ("a@xn--mller-kva.example", True),
        ("a" * 64 + "@example.org", True),
        ("a" * 65 + "@example.org", False),
        ("a@" + "b" * 63 + ".org", True),
        ("a@" + "b" * 64 + ".org", False),
        ("a@" + ("b" * 60 + ".") * 4 + "organisation", False),  # more than 254 letters
        ("müller@example.org", False),
        ("a@müller.example", False),
        (".a@example.org", False),
        ("a.@example.org", False),
        ("a..b@example.org", False),
        ("a b@example.org", False),
        ("a@b@example.org", False),
        ("a@localhost", False),
        ("a@-example.org", False),
        ("a@example.1", False),
        ("a@example.org\n", False),
        ('"a b"@example.org', False),
        ("", False),
    ],
)
def test_an_address_is_what_every_provider_takes_as_it_is_written(address, expected):
    assert is_email(address) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+4915112345678", True),
        ("+1202555010", True),
        ("015112345678", False),
        ("+0151123456", False),
        ("+49", False),
        ("+49151123456789012", False),
        ("+49 151 1234567", False),
        ("+49１51123456", False),
        ("", False),
    ],
)
def test_a_number_has_its_country_code_and_nothing_else(number, expected):
    assert is_phone(number) is expected


def test_the_gravest_comes_first_and_says_what_all_comes_to():
    found = results(ground(hurdles=2, lacking={"email": 3}), Findings({"gap.person.name": 1}))
    verdicts = [one.verdict for one in found]
    assert verdicts[:2] == [Verdict.BLOCKS, Verdict.BLOCKS]
    order = [Verdict.BLOCKS, Verdict.WARNS, Verdict.UNKNOWN, Verdict.STANDS]
    assert verdicts == sorted(verdicts, key=order.index)
    assert worst(found) is Verdict.BLOCKS
    assert worst(()) is Verdict.STANDS


def test_nobody_in_the_audience_keeps_a_notice_back_unless_it_speaks_to_everybody():
    assert look("people", people=0).verdict is Verdict.BLOCKS
    assert look("people", people=0, channels=("announcement",)) is None


@pytest.mark.parametrize(("field", "words"), preflight.FIELDS.items())
def test_each_field_without_a_value_has_its_sentence_and_its_list(field, words):
    one = look(f"gap.{field}", Findings({f"gap.{field}": 1}))
    assert (one.verdict, one.people, one.listed) == (Verdict.BLOCKS, 1, f"gap.{field}")
    assert f"1 person with {words}" in one.sentence


def test_a_language_is_lacking_only_where_no_text_is_in_its_tongue():
    assert look("language.de", by_language={"de": 4}, languages=("en",)).people == 4
    assert look("language.zh-TW", by_language={"zh-TW": 4}, languages=("zh-Hans",)).people == 4
    assert look("language.en-GB", by_language={"en-GB": 4}, languages=("en",)) is None
    assert look("languages", by_language={"": 4}).verdict is Verdict.STANDS


@pytest.mark.parametrize(("size", "verdict"), [(100_000, Verdict.STANDS), (100_001, Verdict.WARNS)])
def test_an_e_mail_that_would_be_cut_short_is_warned_of(size, verdict):
    assert look("size.en", Findings(sizes={"en": size})).verdict is verdict


@pytest.mark.parametrize(("letters", "verdict"), [(320, Verdict.STANDS), (321, Verdict.WARNS)])
def test_a_long_text_message_is_warned_of(letters, verdict):
    assert look("sms.segments", Findings(texts={"DE": [1, 3, letters]})).verdict is verdict


def test_letters_of_ones_own_script_are_told_and_a_curly_quote_is_warned_of():
    texts = {"DE": [1, 1, 60]}
    assert look("sms.zh-Hans", Findings(texts=texts, alphabets={"zh-Hans": ["数"]})).verdict is Verdict.STANDS
    assert look("sms.en", Findings(texts=texts, alphabets={"en": ["“"]})).verdict is Verdict.WARNS


def test_texts_are_not_spoken_of_where_none_is_sent():
    assert look("sms.segments", Findings(texts={"DE": [1, 1, 60]}), channels=("email",)) is None


@pytest.mark.parametrize("word", ["gap.person.name", "bad.email", "letter.box", "no.push", "no.way", "language.fr"])
def test_a_list_that_there_can_be_is_taken(word):
    assert preflight.demand_list(word) == word


@pytest.mark.parametrize(
    "word",
    ["", "gap.", "gap.person.reference", "no.pigeon", "language.", "language." + "x" * 13, "sms.segments", "x.y"],
)
def test_any_other_word_is_refused(word):
    with pytest.raises(KeyError):
        preflight.demand_list(word)


def test_what_was_found_is_kept_as_it_was():
    found = Findings({"bad.email": 1}, {"DE": [1, 2, 3]}, {"en": 5}, {"en": ["“"]}, [])
    found.add("bad.email")
    found.add_text("DE", 1, 200)
    assert Findings.from_json(found.to_json()) == Findings(
        {"bad.email": 2}, {"DE": [2, 3, 200]}, {"en": 5}, {"en": ["“"]}, []
    )


def test_possible_duplicates_are_named_for_they_get_nothing():
    found = look("duplicates", held_back=3)
    assert (found.verdict, found.people, found.listed) == (Verdict.WARNS, 3, "state.suspect")
    assert "3 people may be on the list already: nothing goes to them until somebody decides" in found.sentence
    assert "1 person may be on the list already: nothing goes to them" in look("duplicates", held_back=1).sentence
    assert look("duplicates") is None
