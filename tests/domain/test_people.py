from datetime import date

import pytest

from incident.domain.errors import Invalid, Refused
from incident.domain.people import (
    Age,
    Audience,
    Digest,
    Plain,
    address_lines,
    addressed,
    age_on,
    completed,
    full_name,
    marked_by,
    mask_email,
    mask_end,
    mask_phone,
    mask_words,
    masked,
    must_be_live,
    must_be_open_pair,
    reach,
    united,
    ways,
)

PLAIN = Plain("DE", "de", "email name", "", False, True, False, False, False, "")


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"name": "Ann Example"}, "Ann Example"),
        ({"given_name": "Ann", "family_name": "Example"}, "Ann Example"),
        ({"family_name": "张", "given_name": "伟"}, "张伟"),
        ({"family_name": "Example"}, "Example"),
        ({}, ""),
    ],
)
def test_a_name_is_written_as_its_language_writes_it(record, name):
    assert full_name(record) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [("jo@example.org", "j•••@e…"), ("@example.org", ""), ("jo", ""), ("", ""), ("a@b@c.org", "a•••@c…")],
)
def test_an_address_is_masked(text, shown):
    assert mask_email(text) == shown


def test_masks_show_too_little_to_reach_anybody():
    assert mask_words("Ann Maria van Example") == "A••• M••• v•••"
    assert mask_phone("+4930901820") == "••• 20"
    assert (mask_end("K-12345"), mask_end("K-1"), mask_end("")) == ("•••45", "•••", "")
    record = {
        "name": "Ann",
        "email": "ann@example.org",
        "phone": "+4930901820",
        "address": "Way 1\nTown",
        "reference": "K-12345",
    }
    assert not any(value in masked(record).values() for value in record.values())


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        ({"address": " Way 1 \n\n 10115 Town "}, ("Way 1", "10115 Town")),
        ({"street": "Way 1", "postcode": "10115", "city": "Town", "country": "DE"}, ("Way 1", "10115 Town", "DE")),
        ({"street": "Way 1"}, ()),
        ({"city": "Town", "postcode": "1"}, ()),
    ],
)
def test_an_address_is_one_only_when_a_letter_would_arrive(record, lines):
    assert address_lines(record) == lines


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"email": "a@x.org"}, (False, True, False, False, False)),
        ({"phone": "+1", "push_token": "t"}, (False, False, True, False, True)),
        ({"email": "kid@x.org", "guardian_name": "Pat", "guardian_phone": "+1"}, (True, False, True, False, False)),
        ({"email": "kid@x.org", "guardian_name": "Pat"}, (True, True, False, False, False)),
        ({"name": "A", "address": "Way 1, Town"}, (False, False, False, True, False)),
    ],
)
def test_somebody_is_reached_directly_or_through_a_guardian(record, expected):
    assert tuple(ways(record)) == expected


def test_a_guardian_without_any_contact_is_named_but_the_child_is_written_to():
    addressee = addressed(
        7, {"name": "Kim", "email": "kim@x.org", "guardian_name": "Pat"}, PLAIN._replace(represented=True)
    )
    assert (addressee.name, addressee.email, addressee.for_whom, addressee.ref) == ("Kim", "kim@x.org", "Kim", "P-7")


@pytest.mark.parametrize(
    ("day", "band"),
    [
        (date(2023, 3, 5), Age.UNDER_13),
        (date(2023, 3, 6), Age.UNDER_14),
        (date(2024, 3, 6), Age.UNDER_16),
        (date(2026, 3, 5), Age.UNDER_16),
        (date(2026, 3, 6), Age.UNDER_18),
        (date(2028, 3, 5), Age.UNDER_18),
        (date(2028, 3, 6), Age.ADULT),
    ],
)
def test_the_age_band_changes_on_the_birthday(day, band):
    assert age_on(date(2010, 3, 6), day) is band


def test_marks_do_not_care_how_a_contact_was_written():
    assert marked_by({"email": "JO@Example.org", "phone": "+49", "reference": "K-A"}) == [
        ("email", "jo@example.org"),
        ("phone", "+49"),
        ("reference", "k-a"),
    ]
    assert marked_by({"name": "Jo"}) == []


@pytest.mark.parametrize(
    ("named", "taken"),
    [
        ((), None),
        (("US",), ("US", "US-TX")),
        (("EU",), ("DE", "FR")),
        (("US-TX",), ("US-TX",)),
        (("",), ("",)),
        (("JP",), ()),
    ],
)
def test_an_audience_takes_in_states_and_groups(named, taken):
    assert Audience(places=named).codes(["", "DE", "FR", "GB", "US", "US-TX"]) == taken


def test_an_audience_is_the_same_whatever_the_order_it_was_chosen_in():
    one, other = Audience(waves=(2, 1), places=("FR", "DE")), Audience(waves=(1, 2, 2), places=("DE", "FR"))
    assert one.to_json() == other.to_json()
    assert Audience.from_json(one.to_json()).to_json() == one.to_json()


@pytest.mark.parametrize("raw", [{"shoe": [1]}, {"places": ["Atlantis"]}])
def test_an_audience_of_unknown_words_is_refused(raw):
    with pytest.raises(Invalid):
        Audience.from_json(raw)


def test_a_digest_depends_on_every_number_and_on_nothing_else():
    def digest(*batches):
        made = Digest()
        for batch in batches:
            made.add(batch)
        return made.count, made.hexdigest()

    assert digest([1, 2], [3]) == digest([1], [2, 3])
    assert digest([1, 2, 3]) != digest([1, 2, 4])
    assert digest([12]) != digest([1, 2])
    with pytest.raises(ValueError, match="order"):
        digest([2, 1])
    with pytest.raises(ValueError, match="each once"):
        digest([2], [2])


@pytest.mark.parametrize("bits", range(16))
def test_the_ways_to_reach_somebody_make_one_number(bits):
    plain = PLAIN._replace(
        has_email=bool(bits & 1), has_phone=bool(bits & 2), has_address=bool(bits & 4), has_push=bool(bits & 8)
    )
    assert int(reach(plain)) == bits


@pytest.mark.parametrize("state", ["same", "removed", "erased"])
def test_whoever_is_off_the_list_is_not_changed(state):
    with pytest.raises(Refused):
        must_be_live(state)


@pytest.mark.parametrize("state", ["active", "suspect"])
def test_whoever_is_on_the_list_may_be_changed(state):
    must_be_live(state)


@pytest.mark.parametrize("state", ["same", "different", "settled"])
def test_a_pair_is_decided_once(state):
    with pytest.raises(Refused):
        must_be_open_pair(state)


def test_two_records_of_one_person_complete_each_other():
    assert completed({"name": "Ann"}, {"name": "Anna", "phone": "+1"}) == {"name": "Ann", "phone": "+1"}
    assert united("email name", "name phone") == "email name phone"
