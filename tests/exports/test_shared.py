"""STIX, VERIS and MISP: judged by the validators of their communities, told what is known and nothing of anybody affected."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pymisp import MISPEvent
from stix2validator import ValidationOptions, validate_instance

from incident.domain.dossier import Company, Dossier, FactNow, GradeLine
from incident.domain.errors import Refused
from incident.domain.facts import UNKNOWN, vocabulary
from incident.domain.reviews import FACTORS
from incident.exports import misp, stix, veris

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
VERIS = {
    # the required members of the community schema, and for each word list that is used its words
    "required": {
        "actor", "action", "discovery_method", "schema_version", "asset", "timeline", "attribute", "incident_id", "security_incident",
    },
    "members": {
        "action", "actor", "asset", "attribute", "confidence", "discovery_method", "incident_id", "reference", "schema_version",
        "security_incident", "source_id", "summary", "timeline", "victim",
    },
    "action": {
        "malware": {"variety": {"Ransomware", "Capture app data"}, "vector": {"Unknown"}},
        "hacking": {"variety": {"Unknown", "Use of stolen creds"}, "vector": {"Unknown"}},
        "social": {"variety": {"Phishing"}, "vector": {"Email"}, "target": {"Unknown"}},
        "misuse": {"variety": {"Unknown"}, "vector": {"Unknown"}},
        "error": {"variety": {"Unknown", "Misdelivery", "Loss"}, "vector": {"Unknown"}},
        "physical": {"variety": {"Theft"}, "vector": {"Unknown"}},
        "unknown": {},
    },
    "actor": {
        "external": {"variety": {"Unknown"}, "motive": {"Unknown"}, "country": {"Unknown"}},
        "internal": {"variety": {"Unknown"}, "motive": {"Unknown", "NA"}},
        "partner": {"country": {"Unknown"}, "motive": {"Unknown"}},
        "unknown": {},
    },
    "asset": {"Unknown", "U - Unknown", "P - Unknown", "S - Web application"},
    "data": {"Credentials", "Bank", "Medical", "Payment", "Personal"},
    "disclosure": {"Unknown", "Yes", "Potentially", "No"},
    "discovery": {
        "Int - infrastructure monitoring", "Int - reported by employee", "Ext - customer", "Ext - other", "Prt - other",
        "Ext - law enforcement", "Ext - actor disclosure", "Other", "Unknown",
    },
    "unit": {"Seconds", "Minutes", "Hours", "Days", "Weeks", "Months", "Years", "NA", "Never", "Unknown"},
}  # fmt: skip


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


@pytest.mark.parametrize("told", EVERY)
def test_the_record_keeps_to_the_words_of_veris(told):
    made = veris.record(told)
    assert VERIS["required"] <= set(made) <= VERIS["members"]
    for part in ("action", "actor"):
        ((word, held),) = made[part].items()
        assert set(held) == set(VERIS[part][word])
        for name, values in held.items():
            assert values
            assert set(values) <= VERIS[part][word][name]
    assert {asset["variety"] for asset in made["asset"]["assets"]} <= VERIS["asset"]
    assert made["attribute"]
    data = made["attribute"].get("confidentiality", {"data_disclosure": "Unknown"})
    assert data["data_disclosure"] in VERIS["disclosure"]
    assert {one["variety"] for one in data.get("data", [])} <= VERIS["data"]
    assert made["discovery_method"] in VERIS["discovery"]
    assert {made["timeline"][name]["unit"] for name in ("discovery", "containment")} <= VERIS["unit"]


ACTIONS = {
    # what each action of the community schema 1.3 must hold, and those of its words that are ours to say
    "environmental": {"variety": {"Power failure", "Fire", "Leak"}},
    "error": {
        "variety": {
            "Unknown", "Misconfiguration", "Misdelivery", "Publishing error", "Programming error", "Loss", "Disposal error",
            "Omission", "Data entry error", "Malfunction", "Capacity shortage",
        },
        "vector": {
            "Unknown", "Inadequate processes", "Inadequate personnel", "Inadequate technology", "Carelessness", "Random error",
        },
    },
    "hacking": {
        "variety": {
            "Use of stolen creds", "Brute force", "Other", "SQLi", "Abuse of functionality", "Use of backdoor or C2",
        },
        "vector": {"Unknown"},
    },
    "malware": {"variety": {"Ransomware", "Capture app data", "Password dumper", "Export data"}, "vector": {"Unknown"}},
    "misuse": {"variety": {"Privilege abuse", "Data mishandling", "Knowledge abuse"}, "vector": {"Unknown"}},
    "physical": {"variety": {"Theft", "Tampering", "Snooping"}, "vector": {"Unknown"}},
    "social": {"variety": {"Phishing", "Pretexting", "Extortion"}, "vector": {"Unknown", "Email"}, "target": {"Unknown"}},
}  # fmt: skip


def test_every_factor_of_a_review_stands_among_the_actions_in_the_words_of_veris():
    for told in EVERY:
        for factors in (*((key,) for key in FACTORS), tuple(FACTORS)):
            for group, held in veris.record(replace(told, factors=factors))["action"].items():
                assert group != "unknown"
                assert set(held) - {"notes"} == set(ACTIONS[group])
                for name, words in held.items():
                    if name != "notes":
                        assert len(set(words)) == len(words) > 0
                        assert set(words) <= ACTIONS[group][name] | {"Unknown"}


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


@pytest.mark.parametrize("told", EVERY[-12:])
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
