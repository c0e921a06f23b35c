"""STIX, VERIS and MISP: judged by the validators of their communities, told what is known and nothing of anybody affected."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from jsonschema import Draft4Validator
from pymisp import MISPEvent
from stix2validator import ValidationOptions, validate_instance

from incident.domain.dossier import Company, Dossier, FactNow, GradeLine
from incident.domain.errors import Refused
from incident.domain.facts import UNKNOWN, vocabulary
from incident.domain.places import codes
from incident.domain.reviews import FACTORS
from incident.exports import misp, stix, veris
from tests.exports.veris_schema import SCHEMA, contradictions

NOON = datetime(2026, 3, 10, 12, 0, 0, 5000, tzinfo=UTC)
CATEGORIES = [option.word for option in vocabulary().entries["category"].options]
WHOLE = {
    "what_happened": "A backup host stood open; 名单 was read.",
    "category": "data_leak",
    "malicious": True,
    "properties": ("confidentiality", "availability"),
    "how_found": "customer",
    "exfiltration": "confirmed",
    "data_kinds": ("name", "password", "payment_card", "health"),
    "systems": ("shop", "backup"),
    "establishments": ("DE", "US-CA"),
    "occurred_from": NOON - timedelta(days=9),
    "detected_at": NOON - timedelta(hours=30),
    "contained_at": NOON - timedelta(hours=25),
}
VERIS = Draft4Validator(SCHEMA)


def a_dossier(facts: dict[str, object] | None = None, **changes: object) -> Dossier:
    given = WHOLE if facts is None else facts
    held = {key: FactNow(value, NOON, "log analysis", "high") for key, value in given.items()}  # type: ignore[arg-type]
    told = Dossier(
        "INC-2026-0001", "Copied database", "incident", str(given.get("category", "")), "open", NOON, NOON, facts=held,
        company=Company("Example Shop"), people_total=1200, grades=(GradeLine("operational", "high"),),
    )  # fmt: skip
    return replace(told, **changes)  # type: ignore[arg-type]


EVERY = [
    a_dossier({"category": category, "malicious": on_purpose, "what_happened": "It happened."})
    for category in CATEGORIES
    for on_purpose in (True, False, UNKNOWN)
] + [
    a_dossier(),
    a_dossier({}, company=Company(), people_total=0, grades=()),
    a_dossier(kind="near_miss", state="closed"),
    *(a_dossier({"how_found": option.word}) for option in vocabulary().entries["how_found"].options),
    *(a_dossier({"exfiltration": option.word}) for option in vocabulary().entries["exfiltration"].options),
    a_dossier({"data_kinds": tuple(vocabulary().kinds)}),
    a_dossier({"establishments": tuple(sorted(codes())), "records_count": 7}),
    *(a_dossier({"properties": (word,)}) for word in ("confidentiality", "integrity", "availability")),
]


@pytest.mark.parametrize("told", EVERY)
def test_the_bundle_is_stix_by_its_validator(told):
    judged = validate_instance(stix.bundle(told), ValidationOptions(version="2.1", strict=False))
    assert judged.is_valid, [str(error) for error in judged.errors]


def test_the_bundle_says_what_is_known():
    house, incident = stix.bundle(a_dossier())["objects"]
    assert (house["identity_class"], house["name"]) == ("organization", "Example Shop")
    assert incident["created_by_ref"] == house["id"]
    core = incident["extensions"][stix.CORE]
    assert core["determination"] == "successful-attempt"
    assert core["impacted_entity_counts"] == {"individual": 1200}
    assert (core["criticality"], core["detection_methods"]) == (70, ["user-reporting"])
    assert core["incident_types"] == ["unauthorized-release", "denial-of-service"]
    assert incident["modified"] == "2026-03-10T12:00:00.005Z"


def test_the_same_incident_has_the_same_identifiers_later_and_another_one_others():
    first, later = stix.bundle(a_dossier()), stix.bundle(a_dossier(made_at=NOON + timedelta(days=1)))
    assert [one["id"] for one in first["objects"]] == [one["id"] for one in later["objects"]]
    assert first["id"] != later["id"]
    assert first["objects"][1]["id"] != stix.bundle(a_dossier(ref="INC-2026-0002"))["objects"][1]["id"]


def test_every_record_keeps_to_the_schema_of_veris_and_to_its_check_of_consistency():
    wrong = []
    for told in EVERY:
        for factors in ((), *((key,) for key in FACTORS), tuple(FACTORS)):
            made = veris.record(replace(told, factors=factors))
            wrong += [f"{list(one.path)}: {one.message}" for one in VERIS.iter_errors(made)] + list(
                contradictions(made)
            )
            assert not factors or "unknown" not in made["action"]
    assert wrong == []


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda made: made["action"]["hacking"].update(variety=["Exploit vuln"]), "Exploit vuln"),
        (lambda made: made["action"].clear(), "non-empty|enough properties"),
        (lambda made: made.update(plus={}), "plus"),
        (lambda made: made["victim"]["country"].append("XK"), "XK"),
        (lambda made: made.pop("discovery_method"), "discovery_method"),
    ],
)
def test_what_the_schema_does_not_know_is_found(break_it, said):
    made = veris.record(a_dossier())
    break_it(made)
    assert re.search(said, " ".join(one.message for one in VERIS.iter_errors(made)))


def test_what_an_action_implies_stands_among_what_was_harmed():
    told = a_dossier(WHOLE | {"category": "ransomware", "properties": ("integrity", "availability")})
    attribute = veris.record(told)["attribute"]
    assert attribute["integrity"] == {"variety": ["Software installation"]}
    assert attribute["availability"] == {"variety": ["Unknown"]}
    lost = a_dossier({"category": "lost_device", "malicious": False, "properties": ("availability",)})
    assert veris.record(lost)["attribute"] == {"availability": {"variety": ["Loss"]}}
    misused = replace(a_dossier(WHOLE), factors=("misuse.privilege",))
    assert set(veris.record(misused)["actor"]) == {"external", "internal"}
    unknown = replace(a_dossier({"category": "other"}), factors=("misuse.privilege",))
    assert set(veris.record(unknown)["actor"]) == {"internal"}


def test_a_factor_takes_the_place_of_what_was_unknown_and_stands_beside_what_was_known():
    leak = replace(a_dossier(WHOLE | {"malicious": False}), factors=("error.misconfiguration", "by.processes"))
    assert veris.record(leak)["action"] == {
        "error": {"variety": ["Misconfiguration"], "vector": ["Inadequate processes"]}
    }
    phishing = replace(a_dossier(WHOLE | {"category": "phishing"}), factors=("social.pretexting", "hacking.exploit"))
    assert veris.record(phishing)["action"] == {
        "social": {"variety": ["Phishing", "Pretexting"], "vector": ["Email"], "target": ["Unknown"]},
        "hacking": {"variety": ["Other"], "vector": ["Unknown"], "notes": "Exploit vuln"},
    }


def test_the_record_says_what_is_known():
    made = veris.record(a_dossier())
    assert made["action"] == {"hacking": {"variety": ["Unknown"], "vector": ["Unknown"]}}
    assert made["attribute"]["confidentiality"]["data_disclosure"] == "Yes"
    assert [one["variety"] for one in made["attribute"]["confidentiality"]["data"]] == [
        "Credentials", "Medical", "Payment", "Personal",
    ]  # fmt: skip
    assert made["timeline"]["discovery"] == {"unit": "Days", "value": 8}
    assert made["timeline"]["containment"] == {"unit": "Hours", "value": 5}
    assert made["victim"]["country"] == ["DE", "US"]
    assert made["discovery_method"] == "Ext - customer"


@pytest.mark.parametrize("told", EVERY)
def test_the_event_is_one_by_misps_own_reader(told):
    made = misp.event(told)
    read = MISPEvent(strict_validation=True)
    read.load(json.dumps(made))
    assert str(read.uuid) == made["Event"]["uuid"]
    assert len(read.attributes) == len(made["Event"]["Attribute"])
    assert not read.published


@pytest.mark.parametrize("make", [stix.bundle, veris.record, misp.event])
def test_a_drill_is_told_to_nobody(make):
    with pytest.raises(Refused, match="did not happen"):
        make(a_dossier(kind="drill"))
