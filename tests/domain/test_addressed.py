"""Whom a notice goes to: the person, a guardian, the next of kin; and who gets no letter at home."""

import pytest

from incident.domain import columns, people
from incident.domain.people import Age, Plain

HOME = {"name": "Ann Person", "address": "Street 1\n10117 Berlin", "email": "a@x.org", "phone": "+491511234567"}
ALL = (True, True, True, False)


def a_record(**more: str) -> dict[str, str]:
    record = HOME | more
    people.settle_marks(record, columns.says_no, columns.found_safe)
    return record


def a_plain(record: dict[str, str], age: str = "") -> Plain:
    return Plain("DE", "en", "email", age, *people.ways(record), doubts="")


@pytest.mark.parametrize("said", ["yes", "x", "2025-03-01", "†", "ja", "是"])
def test_nobody_writes_or_calls_to_the_dead_but_a_letter_goes_to_the_next_of_kin(said):
    record = a_record(deceased=said)
    assert people.ways(record) == (False, False, False, True, False)
    one = people.addressed(1, record, a_plain(record))
    assert (one.email, one.phone, one.push_token, one.care) == ("", "", "", "next_of_kin")
    assert one.address == ("Street 1", "10117 Berlin")


@pytest.mark.parametrize("said", ["", "no", "nein", "0", "否", "-"])
def test_a_plain_no_leaves_everything_as_it_was(said):
    record = a_record(deceased=said, no_letter=said)
    assert "deceased" not in record
    assert "no_letter" not in record
    assert people.ways(record)[1:] == ALL
    assert people.addressed(1, record, a_plain(record)).care == ""


def test_kin_that_can_be_written_to_take_the_place_of_the_unknown_next_of_kin():
    record = a_record(deceased="yes", guardian_name="Kim Person", guardian_email="k@x.org")
    one = people.addressed(1, record, a_plain(record))
    assert (one.name, one.email, one.phone, one.care) == ("Kim Person", "k@x.org", "", "")


@pytest.mark.parametrize("more", [{}, {"deceased": "yes"}, {"guardian_name": "Kim", "guardian_email": "k@x.org"}])
def test_no_letter_goes_to_a_home_where_somebody_is_at_risk(more):
    record = a_record(no_letter="yes", **more)
    assert people.ways(record).has_address is False
    one = people.addressed(1, record, a_plain(record))
    assert one.address == ()
    assert one.care == ("next_of_kin" if "deceased" in more else "")


@pytest.mark.parametrize(
    ("age", "care"), [(Age.UNDER_13, "guardian"), (Age.UNDER_18, "guardian"), (Age.ADULT, ""), ("", "")]
)
def test_a_letter_to_a_minor_goes_to_the_parents_or_guardian(age, care):
    assert people.addressed(1, a_record(), a_plain(a_record(), age)).care == care
    record = a_record(guardian_name="Kim Person", guardian_phone="+491511234568")
    assert people.addressed(1, record, a_plain(record, age)).care == ""
    nameless = a_record(guardian_phone="+491511234568")
    assert people.addressed(1, nameless, a_plain(nameless, age)).care == "guardian"


def test_lists_name_these_columns_in_their_own_words():
    assert columns.guessed(["Verstorben", "地址保密", "Deceased"]) == ["deceased", "no_letter", ""]


@pytest.mark.parametrize("age", sorted(people.Age))
@pytest.mark.parametrize(
    "given",
    [
        ("name",),
        ("name", "email"),
        ("email", "phone", "push_token"),
        ("name", "reference"),
        ("name", "postcode", "city", "region", "country"),
    ],
)
def test_a_simple_record_is_addressed_as_any_other(given, age):
    record = {word: f"{word}@x" for word in given}
    plain = a_plain(record, age)
    assert people.addressed(7, record, plain) == people._addressed(7, record, plain, "")


CONTACTS = {
    "push_token": "t" * 40,
    "guardian_name": "Kim",
    "guardian_email": "k@x.org",
    "guardian_phone": "+491511234568",
}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("yes", "none"),
        ("x", "none"),
        ("none", "none"),
        ("E-Mail", "email"),
        ("push, SMS; e-mail", "email sms push"),
        ("yes, email", "email"),
        ("短信、邮件", "email sms"),
        ("pigeon", "none"),
        ("email sms call", "email sms call"),
        ("text message, phone call", "sms call"),
        ("no", None),
        ("", None),
    ],
)
def test_what_a_list_says_of_safe_ways_is_kept_as_words_and_never_more_than_it_names(said, kept):
    assert a_record(safe_ways=said).get("safe_ways") == kept


def test_a_word_that_is_no_way_is_not_safe_and_is_pointed_out():
    assert columns.found_safe("email, neighbour") == ("email", False)
    assert columns.found_safe("email, text message") == ("email sms", True)


@pytest.mark.parametrize(
    ("said", "email", "phone", "letter", "push", "never"),
    [
        ("none", False, False, False, False, ("machine", "sms", "call")),
        ("email", True, False, False, False, ("machine", "sms", "call")),
        ("sms", False, True, False, False, ("machine", "call")),
        ("call", False, True, False, False, ("machine", "sms")),
        ("letter", False, False, True, False, ("machine", "sms", "call")),
        ("push", False, False, False, True, ("machine", "sms", "call")),
        ("email sms call letter push", True, True, True, True, ("machine",)),
    ],
)
def test_somebody_at_risk_at_home_is_reached_by_what_is_marked_safe_alone(said, email, phone, letter, push, never):
    record = a_record(push_token="t" * 40, safe_ways=said)
    assert people.ways(record) == (False, email, phone, letter, push)
    one = people.addressed(1, record, a_plain(record))
    assert (bool(one.email), bool(one.phone), bool(one.address), bool(one.push_token)) == (email, phone, letter, push)
    assert one.unsafe == never


def test_the_guardian_of_somebody_at_risk_is_told_only_where_that_is_marked_safe():
    record = a_record(**CONTACTS, safe_ways="email")
    one = people.addressed(1, record, a_plain(record, Age.UNDER_16))
    assert (one.name, one.email, one.phone, one.address) == ("Ann Person", "a@x.org", "", ())
    assert people.ways(record).represented is False
    record = a_record(**CONTACTS, safe_ways="guardian")
    one = people.addressed(1, record, a_plain(record, Age.UNDER_16))
    assert (one.name, one.email, one.phone, one.address) == ("Kim", "k@x.org", "+491511234568", ())
    assert one.unsafe == ("machine",)


def test_nothing_is_unsafe_for_everybody_else():
    for more in ({}, {"no_letter": "yes"}, {"deceased": "yes"}, CONTACTS):
        record = a_record(**more)
        assert people.addressed(1, record, a_plain(record)).unsafe == ()


def test_a_screen_shows_of_somebody_at_risk_what_may_be_used_and_nothing_else():
    shown = people.masked(a_record(safe_ways="email"))
    assert (shown["safe"], shown["email"], shown["phone"], shown["address"]) == ("email", "a•••@x…", "", "")
    assert people.masked(a_record())["safe"] == ""


def test_a_letter_to_a_guardian_goes_to_the_guardians_own_address():
    record = a_record(guardian_name="Kim Person", guardian_address="Other Street 2\n20095 Hamburg")
    one = people.addressed(1, record, a_plain(record, Age.UNDER_13))
    assert (one.name, one.address, one.care) == ("Kim Person", ("Other Street 2", "20095 Hamburg"), "")
    assert people.ways(record) == (True, False, False, True, False)
    assert (one.email, one.phone) == ("", "")


def test_a_guardian_with_a_number_alone_gets_the_letter_at_the_persons_home():
    record = a_record(guardian_name="Kim Person", guardian_phone="+491511234568")
    assert people.addressed(1, record, a_plain(record)).address == ("Street 1", "10117 Berlin")


def test_no_letter_at_home_holds_for_the_guardians_address_too():
    record = a_record(guardian_name="Kim", guardian_address="Street 1\n10117 Berlin", no_letter="yes")
    assert people.addressed(1, record, a_plain(record)).address == ()
