"""The review of an incident beside its words: what stood behind it in terms that others use, its meeting, and its time line.

Terms are those of VERIS 1.3 (Vocabulary for Event Recording and Incident Sharing): what was done, by variety; and, for
mistakes, by which way they came about.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from incident.domain.errors import Invalid
from incident.domain.texts import storable

LONGEST_MOMENT: Final = 2_000
MOST_MOMENTS: Final = 500
FARTHEST: Final = timedelta(days=366)
CALLED_BEFORE: Final = timedelta(hours=24)
"""How long before its meeting everybody who takes part is reminded."""

GROUPS: Final[Mapping[str, str]] = {
    "error": "A mistake",
    "by": "How the mistake came about",
    "hacking": "Breaking in",
    "malware": "Malicious software",
    "social": "People deceived",
    "misuse": "Rights misused",
    "physical": "Things taken or touched",
    "environmental": "Surroundings",
}
FACTORS: Final[Mapping[str, tuple[str, str]]] = {
    # key: what VERIS calls it, and what it means here
    "error.misconfiguration": ("Misconfiguration", "a setting was wrong"),
    "error.misdelivery": ("Misdelivery", "sent to the wrong people"),
    "error.publishing": ("Publishing error", "published by mistake"),
    "error.programming": ("Programming error", "a fault in a program"),
    "error.loss": ("Loss", "something was lost"),
    "error.disposal": ("Disposal error", "thrown away without being wiped"),
    "error.omission": ("Omission", "something was not done"),
    "error.data_entry": ("Data entry error", "something was typed wrongly"),
    "error.malfunction": ("Malfunction", "a device or program failed"),
    "error.capacity": ("Capacity shortage", "there was too little of something"),
    "by.processes": ("Inadequate processes", "no rule, or one that did not work"),
    "by.personnel": ("Inadequate personnel", "too few people, or not trained for it"),
    "by.technology": ("Inadequate technology", "the tools did not do what was needed"),
    "by.carelessness": ("Carelessness", "known better, and not done"),
    "by.random": ("Random error", "it happens to anybody"),
    "hacking.credentials": ("Use of stolen creds", "with stolen passwords"),
    "hacking.brute_force": ("Brute force", "passwords were guessed"),
    "hacking.exploit": ("Exploit vuln", "through a vulnerability"),
    "hacking.sqli": ("SQLi", "by commands in the input of a database"),
    "hacking.functionality": ("Abuse of functionality", "a function was used against its purpose"),
    "hacking.backdoor": ("Use of backdoor or C2", "by a way in left behind"),
    "malware.ransomware": ("Ransomware", "data locked for ransom"),
    "malware.capture": ("Capture app data", "read along in a program or page"),
    "malware.password_dumper": ("Password dumper", "collected passwords"),
    "malware.export": ("Export data", "carried data out"),
    "social.phishing": ("Phishing", "by a false message"),
    "social.pretexting": ("Pretexting", "by a story told"),
    "social.extortion": ("Extortion", "by a threat"),
    "misuse.privilege": ("Privilege abuse", "rights were used beyond their purpose"),
    "misuse.mishandling": ("Data mishandling", "data were taken where they may not be"),
    "misuse.knowledge": ("Knowledge abuse", "what one knew was used against us"),
    "physical.theft": ("Theft", "something was stolen"),
    "physical.tampering": ("Tampering", "something was tampered with"),
    "physical.snooping": ("Snooping", "somebody looked or listened"),
    "environmental.power": ("Power failure", "the power failed"),
    "environmental.fire": ("Fire", "fire"),
    "environmental.leak": ("Leak", "water"),
}

MEANINGS: Final[Mapping[str, str]] = {key: meaning for key, (_, meaning) in FACTORS.items()}


def grouped() -> dict[str, list[str]]:
    """The keys of all factors by the key of their group, both in their order."""
    return {group: [key for key in FACTORS if key.partition(".")[0] == group] for group in GROUPS}


def factors(chosen: Iterable[str]) -> list[str]:
    """The chosen factors, each once, in their order. Raises Invalid."""
    wanted = set(chosen)
    strange = sorted(wanted - set(FACTORS))
    if strange:
        raise Invalid("factors", f"There is no factor {strange[0][:40]!r}.")
    return [key for key in FACTORS if key in wanted]


def meeting(at: datetime | None, people: Collection[str], *, team: Collection[str], now: datetime) -> list[str]:
    """Who takes part, each once, checked with the time. `team`: references of those who can. Raises Invalid."""
    if at is None:
        raise Invalid("at", "Say when the review meets.")
    if at > now + FARTHEST:
        raise Invalid("at", "Choose a day within a year: what happened is forgotten by then.")
    wanted = sorted(set(people))
    if not wanted:
        raise Invalid("people", "Choose who takes part.")
    if any(one not in team for one in wanted):
        raise Invalid("people", "Choose people who may work on this incident.")
    return wanted


def moment(text: str, at: datetime | None, now: datetime) -> tuple[str, datetime]:
    """What happened at a moment, as it is kept. Raises Invalid."""
    words = storable(text)
    if not words:
        raise Invalid("text", "Say what happened.")
    if len(words) > LONGEST_MOMENT:
        raise Invalid("text", f"At most {LONGEST_MOMENT:,} characters; this has {len(words):,}.")
    if at is None:
        raise Invalid("at", "Say when it happened.")
    if at > now:
        raise Invalid("at", "It cannot have happened later than now.")
    return words, at
