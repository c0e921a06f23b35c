from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import facts as rules
from incident.domain.errors import Invalid
from incident.domain.facts import UNKNOWN, Facts, parsed, shown, vocabulary


def test_every_entry_has_a_known_type_group_and_place_on_the_forms():
    for entry in vocabulary():
        assert entry.type in rules._READERS
        assert entry.group in vocabulary().groups
        assert entry.ask in {"log", "later"}
        assert bool(entry.options) == (entry.type in {"choice", "choices"})


def test_every_kind_of_data_has_its_names_and_its_class():
    for kind in vocabulary().kinds.values():
        assert kind.en
        assert kind.zh
        assert kind.enisa in {"simple", "behavioural", "financial", "sensitive"}


def test_unknown_is_neither_true_nor_false():
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(Facts()["minors"])


def test_what_was_never_recorded_is_unknown():
    facts = Facts({"minors": True, "role": UNKNOWN})
    assert facts["aware_at"] is UNKNOWN
    assert not facts.known("role")
    assert facts.get("role", "controller") == "controller"
    assert list(facts) == ["minors"]


@pytest.mark.parametrize("raw", [None, "", "  ", "unknown", "Unknown", UNKNOWN])
def test_no_answer_is_unknown_for_every_type(raw):
    assert {parsed(entry.key, raw) for entry in vocabulary()} == {UNKNOWN}


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("minors", "yes", True),
        ("minors", False, False),
        ("category", "ransomware", "ransomware"),
        ("properties", ["availability", "confidentiality"], ("confidentiality", "availability")),
        ("systems", "mail, shop\nshop", ("mail", "shop")),
        ("systems", [], ()),
        ("aware_at", "2026-03-10T14:20:00+01:00", datetime(2026, 3, 10, 13, 20, tzinfo=UTC)),
        ("aware_at", "2026-03-10T13:20:00Z", datetime(2026, 3, 10, 13, 20, tzinfo=UTC)),
        ("people_count", "1,204,331", 1204331),
        ("people_count", 0, 0),
        ("residents", "de 500\nUS-TX: 1,200; CN=3", {"CN": 3, "DE": 500, "US-TX": 1200}),
        ("residents", {"DE": 500}, {"DE": 500}),
        ("establishments", ["fr", "US-CA"], ("FR", "US-CA")),
    ],
)
def test_an_answer_is_read(key, raw, value):
    assert parsed(key, raw) == value


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("no_such_fact", "x"),
        ("minors", "perhaps"),
        ("minors", 1),
        ("category", "flood"),
        ("properties", ["beauty"]),
        ("properties", {"beauty": 1}),
        ("aware_at", "2026-03-10T14:20:00"),
        ("aware_at", "yesterday"),
        ("aware_at", "0001-01-01T00:00:00+23:59"),
        ("aware_at", 5),
        ("people_count", -1),
        ("people_count", "1,20"),
        ("people_count", True),
        ("people_count", 10**16),
        ("people_count", 1.5),
        ("residents", "DE"),
        ("residents", "DE 5\nDE 6"),
        ("residents", {"XX": 5}),
        ("residents", {"DE": -5}),
        ("residents", ["DE"]),
        ("what_happened", "x" * 10_001),
        ("what_happened", "a\x00b"),
        ("what_happened", ["a"]),
        ("role", []),
        ("establishments", ["Paris"]),
    ],
)
def test_a_bad_answer_is_refused_and_its_field_named(key, raw):
    with pytest.raises(Invalid) as refusal:
        parsed(key, raw)
    assert refusal.value.field == key


@given(st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.timezones()))
def test_an_instant_survives_its_json_form(moment):
    kept = parsed("aware_at", moment)
    assert parsed("aware_at", rules.to_json(kept)) == kept == moment.astimezone(UTC)


def test_facts_survive_their_json_form():
    facts = Facts({"minors": False, "residents": {"DE": 5}, "systems": ("mail",), "role": UNKNOWN, "loss_cny": 7})
    assert rules.from_json(facts.to_json()) == facts


def test_values_are_shown_in_words_and_times_with_their_zone():
    moment = datetime(2026, 11, 18, 8, 10, tzinfo=UTC)
    assert shown("aware_at", moment, ZoneInfo("Europe/Paris")) == "18 Nov 2026, 09:10 Paris"
    assert shown("aware_at", UNKNOWN) == "not known yet"
    assert shown("minors", False) == "no"
    assert shown("category", "data_leak") == "Database or storage leak"
    assert shown("residents", {"DE": 1500, "US-TX": 2}) == "Germany 1,500, Texas 2"
    assert shown("systems", ()) == "none"
    assert shown("people_count", 1204331) == "1,204,331"
    assert shown("anything", date(2026, 1, 2)) == "2 Jan 2026"


def test_people_of_a_state_count_for_its_country_and_of_a_member_state_for_the_union():
    facts = Facts({"residents": {"US-TX": 10, "US": 1, "DE": 2, "NO": 4}})
    assert (facts.people_in("US"), facts.people_in("US-TX"), facts.people_in("EU"), facts.people_in("EEA")) == (
        11,
        10,
        2,
        6,
    )
    assert Facts().people_in("EU") is UNKNOWN


def test_flags_come_from_the_kinds_of_data():
    assert Facts({"data_kinds": ("name", "health")}).flags() >= {"special", "health", "identity"}
    assert Facts().flags() is UNKNOWN
