"""Whom a notice goes to: the person, a guardian, the next of kin; and who gets no letter at home."""

import pytest

from incident.domain import columns, people
from incident.domain.people import Age, Plain

HOME = {"name": "Ann Person", "address": "Street 1\n10117 Berlin", "email": "a@x.org", "phone": "+491511234567"}
ALL = (True, True, True, False)


def a_record(**more: str) -> dict[str, str]:
    record = HOME | more
    people.settle_marks(record, columns.says_no)
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
