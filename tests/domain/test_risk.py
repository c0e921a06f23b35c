"""The suggested risk to people, by the reasoning of EDPB Guidelines 9/2022 and 01/2021. Every breach here is made up."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import breach, risk
from incident.domain.facts import Facts, vocabulary
from incident.domain.grading import notification, suggested_risk


def a_case(**more):
    """A described breach: an attacker copied names and e-mail addresses; override what matters."""
    facts = {
        "role": "controller",
        "incident_type": "data_exfiltration",
        "dimensions": ["confidentiality"],
        "data_categories": ["name", "e-mail"],
        "special_categories": False,
        "vulnerable_people": [],
        "people_affected": 500,
        "malicious": True,
        "encryption": {"state": "none", "key_compromised": None},
        "backup": {"available": None, "restore_hours": None},
        "exfiltration": "confirmed",
        "mitigation": [],
    }
    return {**facts, **more}


SAFE = {"state": "state_of_the_art", "key_compromised": False}
AFTER_RANSOM = {
    "incident_type": "ransomware",
    "dimensions": ["availability", "integrity"],
    "exfiltration": "none_confirmed_by_logs",
}

TABLE = [
    # ransomware: backup, time to restore, patients, exfiltration
    ("unlikely", AFTER_RANSOM | {"backup": {"available": True, "restore_hours": 6}}),
    ("risk", AFTER_RANSOM | {"backup": {"available": False, "restore_hours": 96}}),
    ("risk", AFTER_RANSOM | {"backup": {"available": True, "restore_hours": 72}}),
    (
        "high",
        AFTER_RANSOM | {"backup": {"available": True, "restore_hours": 40}, "data_categories": ["patient_records"]},
    ),
    (
        "high",
        AFTER_RANSOM
        | {"backup": {"available": False}, "exfiltration": "likely", "data_categories": ["name", "id_card_number"]},
    ),
    # attackers: what they took decides
    ("risk", {"data_categories": ["customer_contact"]}),
    ("high", {"data_categories": ["name", "wage", "civil_status"]}),
    (
        "high",
        {
            "incident_type": "credential_stuffing",
            "data_categories": ["name", "fiscal_code"],
            "exfiltration": "no_evidence",
        },
    ),
    (
        "high",
        {
            "incident_type": "social_engineering",
            "people_affected": 1,
            "data_categories": ["contact", "billing_information"],
        },
    ),
    ("high", {"exfiltration": "published", "data_categories": ["credentials", "purchase_history"]}),
    ("risk", {"incident_type": "insider_copy", "data_categories": ["customer_contact"]}),
    ("unlikely", {"exfiltration": "none_confirmed"}),
    # sound hashes of passwords that belong to pseudonyms
    (
        "unlikely",
        {
            "incident_type": "sql_injection",
            "data_categories": ["username_pseudonym", "password_hash"],
            "encryption": {"state": "passwords_hashed_salted_strong", "key_compromised": False},
        },
    ),
    ("high", {"incident_type": "sql_injection", "data_categories": ["name", "password_hash"]}),
    # things lost or stolen
    (
        "unlikely",
        {
            "incident_type": "theft_of_device",
            "exfiltration": "none",
            "vulnerable_people": ["children"],
            "encryption": SAFE,
        },
    ),
    (
        "risk",
        {
            "incident_type": "theft_of_device",
            "exfiltration": "none",
            "data_categories": ["name", "date_of_birth"],
            "people_affected": 40,
        },
    ),
    (
        "high",
        {
            "incident_type": "theft_of_device",
            "exfiltration": "none",
            "data_categories": ["name", "date_of_birth"],
            "people_affected": 9000,
        },
    ),
    (
        "high",
        {
            "incident_type": "theft_of_paper",
            "exfiltration": "none",
            "data_categories": ["name", "health"],
            "vulnerable_people": ["patients"],
        },
    ),
    # messages and letters to the wrong people
    (
        "unlikely",
        {
            "incident_type": "mispostal",
            "malicious": False,
            "exfiltration": "none",
            "data_categories": ["name", "order_contents"],
            "people_affected": 2,
        },
    ),
    (
        "risk",
        {
            "incident_type": "mispostal",
            "malicious": False,
            "exfiltration": "none",
            "data_categories": ["name", "date_of_birth"],
            "people_affected": 1,
        },
    ),
    (
        "unlikely",
        {
            "incident_type": "misdirected_email",
            "malicious": False,
            "exfiltration": "none",
            "data_categories": ["name", "e-mail", "food_preferences"],
            "special_categories": "an intolerance of two people",
            "people_affected": 15,
        },
    ),
    (
        "high",
        {
            "incident_type": "misdirected_email",
            "malicious": False,
            "exfiltration": "none",
            "data_categories": ["social_security_number"],
            "people_affected": 700,
        },
    ),
    (
        "unlikely",
        {
            "incident_type": "misconfiguration_file_sharing",
            "malicious": False,
            "exfiltration": "none",
            "data_categories": ["insurance_information"],
            "mitigation": ["deletion confirmed in writing"],
        },
    ),
    (
        "risk",
        {
            "incident_type": "misdirected_email",
            "malicious": False,
            "exfiltration": "none",
            "data_categories": ["education_data"],
            "people_affected": None,
        },
    ),
    # a few minutes without power
    (
        "unlikely",
        {"incident_type": "power_outage", "malicious": False, "dimensions": ["availability"], "exfiltration": "none"},
    ),
]


@pytest.mark.parametrize(("word", "more"), TABLE)
def test_each_kind_of_breach_has_its_risk_and_says_why(word, more):
    found, reasons, _ = suggested_risk(a_case(**more))
    assert reasons
    assert found == word, reasons


def test_a_stolen_key_undoes_the_encryption():
    stolen = {"state": "state_of_the_art", "key_compromised": True}
    lost = {"incident_type": "theft_of_device", "exfiltration": "none", "data_categories": ["health"]}
    assert suggested_risk(a_case(**lost, encryption=SAFE))[0] == "unlikely"
    assert suggested_risk(a_case(**lost, encryption=stolen))[0] == "high"


def test_while_nobody_knows_of_the_key_the_encryption_counts_for_nothing_unless_the_device_was_wiped():
    unsure = {"state": "state_of_the_art", "key_compromised": None}
    lost = {
        "incident_type": "theft_of_device",
        "exfiltration": "none",
        "data_categories": ["health"],
        "encryption": unsure,
    }
    assert suggested_risk(a_case(**lost))[0] == "high"
    assert suggested_risk(a_case(**lost, mitigation=["remote wipe"]))[0] == "unlikely"


def test_asking_a_recipient_to_delete_is_not_yet_a_deletion():
    sent = {
        "incident_type": "misdirected_email",
        "malicious": False,
        "exfiltration": "none",
        "data_categories": ["wage"],
        "people_affected": 30,
    }
    assert suggested_risk(a_case(**sent, mitigation=["asked recipients to delete"]))[0] == "risk"
    assert suggested_risk(a_case(**sent, mitigation=["deletion confirmed in writing"]))[0] == "unlikely"


def test_nobody_trusts_the_deletion_of_a_thief():
    taken = a_case(data_categories=["wage"], mitigation=["deletion confirmed in writing"])
    assert suggested_risk(taken)[0] == "high"


def test_an_unknown_number_of_people_leaves_the_answer_conditional():
    open_cc = a_case(incident_type="open_cc", malicious=False, exfiltration="none", people_affected=None)
    word, reasons, conditional = suggested_risk(open_cc)
    assert (word, conditional) == ("risk", True)
    assert any("How many people" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("more", "authority", "people"),
    [
        ({"data_categories": ["wage"]}, True, True),
        ({"data_categories": ["name"]}, True, False),
        ({"exfiltration": "none_confirmed"}, False, False),
    ],
)
def test_the_risk_decides_whom_gdpr_makes_us_tell(more, authority, people):
    told = notification(a_case(**more))
    assert (told.internal_documentation, told.notify_supervisory_authority, told.communicate_to_data_subjects) == (
        True,
        authority,
        people,
    )
    assert told.notify_controllers is False


def test_a_processor_tells_its_controllers_and_they_decide():
    told = notification(
        a_case(role="processor", incident_type="authorisation_bug", malicious=False, exfiltration="no_evidence")
    )
    assert (told.notify_controllers, told.notify_supervisory_authority) == (True, "by_controllers")


def test_one_letter_astray_of_unknown_extent_is_told_to_those_it_concerns_if_the_risk_is_high():
    letter = a_case(
        incident_type="mispostal",
        malicious=False,
        exfiltration="none",
        data_categories=["bank_statement"],
        people_affected=None,
    )
    assert notification(letter).communicate_to_data_subjects == "only_affected_if_high_risk"
    assert notification({**letter, "people_affected": 1}).communicate_to_data_subjects is False


def test_no_personal_data_no_risk_to_people():
    assert suggested_risk({"personal_data": False, "category": "ransomware"})[0] == "unlikely"


def test_with_nothing_known_a_risk_is_assumed_and_the_questions_are_named():
    judgement = risk.judged(breach.described({}))
    assert judgement.risk is risk.Risk.RISK
    assert {"personal_data", "recipients", "data_kinds"} <= set(judgement.open)


OURS = [
    (
        "high",
        {"category": "data_leak", "malicious": True, "data_kinds": ("name", "id_number"), "exfiltration": "confirmed"},
    ),
    (
        "unlikely",
        {
            "category": "lost_device",
            "encryption": "full_disk_state_of_the_art",
            "key_compromised": False,
            "data_kinds": ("health",),
        },
    ),
    ("risk", {"category": "phishing", "data_kinds": ("name", "email"), "exfiltration": "likely"}),
    ("unlikely", {"category": "misdirected", "recipients": "trusted", "data_kinds": ("income",)}),
    (
        "high",
        {
            "category": "ransomware",
            "properties": ("availability",),
            "people_categories": ("patients",),
            "restore_hours": 30,
        },
    ),
    ("high", {"category": "misdirected", "recipients": "public", "data_kinds": ("location",)}),
    ("high", {"category": "insider", "people_categories": ("children",), "data_kinds": ("name", "email")}),
]


@pytest.mark.parametrize(("word", "values"), OURS)
def test_our_own_facts_are_judged_by_the_same_rules(word, values):
    assert suggested_risk(Facts({"personal_data": True, **values}))[0] == word


def test_every_kind_of_data_has_a_weight_and_every_word_a_kind():
    kinds = set(vocabulary().kinds)
    standard = breach.standard()
    assert set(standard["weight"]) == kinds
    assert {kind for kinds_ in standard["kind_of_word"].values() for kind in kinds_} <= kinds
    assert set(standard["route_of_category"]) | {"other"} == {
        option.word for option in vocabulary()["category"].options
    }
    assert set(standard["mitigation_of_word"].values()) == {
        option.word for option in vocabulary()["mitigation"].options
    }


@pytest.mark.parametrize(
    ("text", "people", "open_ended"),
    [
        ("a few dozen", 36, False),
        ("more than 60,000", 60_000, False),
        ("at least one", 1, True),
        ("a large number", 1000, True),
        ("", None, False),
    ],
)
def test_a_number_in_words_is_read_with_care(text, people, open_ended):
    found = breach.described(a_case(people_affected=None, people_affected_text=text))
    assert (found.people, found.open_ended) == (people, open_ended)


MORE = [
    ("risk", {"special": True, "kinds": ("name", "preferences"), "people": 5000}),
    ("unlikely", {"special": True, "kinds": ("name", "preferences"), "people": 20}),
    ("risk", {"special": True, "kinds": (), "people": 20}),
    ("high", {"special": True, "kinds": (), "people": 2000}),
    ("risk", {"kinds": ("name", "email", "phone", "address", "gender", "nationality"), "people": 3}),
    ("risk", {"recipients": "trusted", "kinds": ("health",)}),
    ("unlikely", {"recipients": "known", "mitigation": frozenset({"deletion_confirmed"}), "kinds": ("income",)}),
]


@pytest.mark.parametrize(("word", "values"), MORE)
def test_what_the_data_tells_decides_about_a_message_gone_astray(word, values):
    astray = breach.Breach(category="misdirected", malicious=False, **values)
    assert risk.judged(astray).risk.word == word


OUT_OF_REACH = [
    ("risk", {"patients": True, "restore_hours": 3.0}),
    ("high", {"patients": True, "restore_hours": None}),
    ("high", {"special": True, "backup": False}),
    ("unlikely", {"backup": None, "restore_hours": 8.0}),
    ("risk", {"backup": None, "restore_hours": None}),
    ("unlikely", {"backup": True, "restore_hours": None}),
    ("risk", {"backup": True, "restore_hours": 25.0}),
]


@pytest.mark.parametrize(("word", "values"), OUT_OF_REACH)
def test_data_out_of_reach_hurts_those_who_wait_for_it(word, values):
    down = breach.Breach(
        event="cyber_attack",
        properties=frozenset({"availability"}),
        exfiltration="none_confirmed",
        malicious=True,
        **values,
    )
    assert risk.judged(down).risk.word == word


# ---------------------------------------------------------------- what must hold of every breach

BREACHES = st.builds(
    breach.Breach,
    event=st.sampled_from([None, *breach.standard()["route_of_event"]]),
    properties=st.frozensets(st.sampled_from(["confidentiality", "integrity", "availability"])),
    kinds=st.lists(st.sampled_from(sorted(vocabulary().kinds)), max_size=5, unique=True).map(tuple),
    special=st.sampled_from([None, True, False]),
    vulnerable=st.booleans(),
    people=st.none() | st.integers(0, 10**7),
    malicious=st.sampled_from([None, True, False]),
    encryption=st.sampled_from([None, "none", "weak", "passwords_hashed_salted_strong"]),
    backup=st.sampled_from([None, True, False]),
    restore_hours=st.none() | st.floats(0, 1000),
    exfiltration=st.sampled_from([None, "none", "none_confirmed", "no_evidence", "likely", "confirmed", "published"]),
    mitigation=st.frozensets(st.sampled_from(["deletion_confirmed", "remote_wipe", "password_reset"])),
)


@given(BREACHES)
def test_every_breach_has_an_answer_with_a_reason_and_known_questions(one):
    judgement = risk.judged(one)
    assert judgement.reasons
    assert all(key in vocabulary() for key in judgement.open)


@given(BREACHES)
def test_sound_encryption_never_raises_the_risk(one):
    safe = replace(one, encryption="state_of_the_art", key_compromised=False)
    assert risk.judged(safe).risk <= risk.judged(one).risk


@given(BREACHES)
def test_publication_never_lowers_the_risk(one):
    assert risk.judged(replace(one, exfiltration="published")).risk >= risk.judged(one).risk


@given(BREACHES, st.integers(0, 10**7), st.integers(0, 10**7))
def test_more_people_never_lower_the_risk(one, few, more):
    low, high = sorted((few, more))
    assert risk.judged(replace(one, people=low)).risk <= risk.judged(replace(one, people=high)).risk


@given(BREACHES)
def test_people_in_need_of_protection_never_lower_the_risk(one):
    assert risk.judged(replace(one, vulnerable=True)).risk >= risk.judged(replace(one, vulnerable=False)).risk
