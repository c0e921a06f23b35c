"""What a VERIS record may hold by the community schema 1.3.1, for the parts of it that we fill, and what its own check asks besides.

The schema's file ends with the year 2020, and is left to stand otherwise: no year is too late here.
"""

from collections.abc import Iterator
from typing import Any, Final

from babel import Locale

NO_COUNTRIES: Final = "EU EZ UN QO XA XB AC CP CQ DG EA IC TA XK ZZ"
COUNTRIES: Final = [
    code for code in Locale("en").territories if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
]
TEXT: Final = {"type": "string", "minLength": 1}


def one_of(words: str) -> dict[str, Any]:
    """One of these words, which commas part."""
    return {"type": "string", "enum": words.split(", ")}


def some_of(words: str) -> dict[str, Any]:
    """Some of these words, each once."""
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": one_of(words)}


def thing(needed: str = "", **members: Any) -> dict[str, Any]:
    """An object with these members and no others, some of them needed."""
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": members}
    return made | ({"required": needed.split()} if needed else {})


def action(varieties: str, vectors: str = "", **more: Any) -> dict[str, Any]:
    """An action with these varieties and vectors, by commas."""
    members = {"variety": some_of(varieties), "notes": TEXT}
    if vectors:
        members["vector"] = some_of(vectors)
    return thing(" ".join(["variety", *(["vector"] if vectors else []), *more]), **members, **more)


COUNTRY: Final = some_of(", ".join([*COUNTRIES, "Unknown", "Other"]))
MOTIVE: Final = some_of("Grudge, Financial, NA, Ideology, Convenience, Other, Unknown, Fun, Fear, Espionage, Secondary")
LENGTH: Final = thing(
    "unit",
    unit=one_of("Seconds, Minutes, Hours, Days, Weeks, Months, Years, NA, Never, Unknown"),
    value={"type": "number"},
)
ACTIONS: Final = {
    "environmental": action(
        "Deterioration, EMI, ESD, Earthquake, Fire, Flood, Hazmat, Humidity, Hurricane, Ice, Landslide, Leak, Lightning,"
        " Meteorite, Other, Particulates, Pathogen, Power failure, Temperature, Tornado, Tsunami, Unknown, Vermin, Volcano, Wind"
    ),
    "error": action(
        "Capacity shortage, Classification error, Data entry error, Disposal error, Gaffe, Loss, Maintenance error, Malfunction,"
        " Misconfiguration, Misdelivery, Misinformation, Omission, Other, Physical accidents, Programming error,"
        " Publishing error, Unknown",
        "Carelessness, Inadequate personnel, Inadequate processes, Inadequate technology, Other, Random error, Unknown",
    ),
    "hacking": action(
        "Abuse of functionality, Brute force, Buffer overflow, CSRF, Cache poisoning, Cryptanalysis, DoS, Footprinting,"
        " Forced browsing, Format string attack, Fuzz testing, HTTP Response Splitting, HTTP request smuggling,"
        " HTTP request splitting, HTTP response smuggling, Integer overflows, LDAP injection, Mail command injection, MitM,"
        " Null byte injection, OS commanding, Offline cracking, Other, Pass-the-hash, Path traversal, RFI, Reverse engineering,"
        " Routing detour, SQLi, SSI injection, Session fixation, Session prediction, Session replay, Soap array abuse,"
        " Special element injection, URL redirector abuse, Unknown, Use of backdoor or C2, Use of stolen creds,"
        " Virtual machine escape, XML attribute blowup, XML entity expansion, XML external entities, XML injection,"
        " XPath injection, XQuery injection, XSS",
        "3rd party desktop, Backdoor or C2, Command shell, Desktop sharing, Other, Partner, Physical access, Unknown, VPN,"
        " Web application",
    ),
    "malware": action(
        "Adminware, Adware, Backdoor, Brute force, C2, Capture app data, Capture stored data, Click fraud, Client-side attack,"
        " Destroy data, Disable controls, DoS, Downloader, Exploit vuln, Export data, Other, Packet sniffer, Password dumper,"
        " Ram scraper, Ransomware, Rootkit, SQL injection, Scan network, Spam, Spyware/Keylogger, Unknown, Worm",
        "Direct install, Download by malware, Email attachment, Email autoexecute, Email link, Email unknown,"
        " Instant messaging, Network propagation, Other, Remote injection, Removable media, Software update, Unknown,"
        " Web download, Web drive-by",
    ),
    "misuse": action(
        "Data mishandling, Email misuse, Illicit content, Knowledge abuse, Net misuse, Other, Possession abuse, Privilege abuse,"
        " Unapproved hardware, Unapproved software, Unapproved workaround, Unknown",
        "LAN access, Non-corporate, Other, Physical access, Remote access, Unknown",
    ),
    "physical": action(
        "Assault, Bypassed controls, Connection, Destruction, Disabled controls, Other, Skimmer, Snooping, Surveillance,"
        " Tampering, Theft, Unknown, Wiretapping",
        "Other, Partner facility, Partner vehicle, Personal residence, Personal vehicle, Privileged access, Public facility,"
        " Public vehicle, Uncontrolled location, Unknown, Victim grounds, Victim public area, Victim secure area,"
        " Victim work area, Visitor privileges",
    ),
    "social": action(
        "Baiting, Bribery, Elicitation, Extortion, Forgery, Influence, Other, Phishing, Pretexting, Propaganda, Scam, Spam,"
        " Unknown",
        "Documents, Email, IM, In-person, Other, Phone, Removable media, SMS, Social media, Software, Unknown, Website",
        target=some_of(
            "Auditor, Call center, Cashier, Customer, Developer, End-user, Executive, Finance, Former employee, Guard,"
            " Helpdesk, Human resources, Maintenance, Manager, Other, Partner, System admin, Unknown"
        ),
    ),
    "unknown": {"type": "object", "properties": {"notes": TEXT}},
}
ACTORS: Final = {
    "external": thing(
        "country variety motive",
        country=COUNTRY,
        motive=MOTIVE,
        variety=some_of(
            "Acquaintance, Activist, Auditor, Competitor, Customer, Force majeure, Former employee, Nation-state,"
            " Organized crime, Other, State-affiliated, Terrorist, Unaffiliated, Unknown"
        ),
        notes=TEXT,
    ),
    "internal": thing(
        "motive variety",
        motive=MOTIVE,
        variety=some_of(
            "Auditor, Call center, Cashier, Developer, End-user, Executive, Finance, Guard, Helpdesk, Human resources,"
            " Maintenance, Manager, Other, System admin, Unknown"
        ),
        notes=TEXT,
    ),
    "partner": thing("country motive", country=COUNTRY, motive=MOTIVE, notes=TEXT),
    "unknown": {"type": "object", "properties": {"notes": TEXT}},
}
ASSETS: Final = (
    "Unknown, Other, M - Documents, M - Unknown, N - Unknown, P - Customer, P - End-user, P - Unknown, S - Backup, "
    "S - Code repository, S - Database, S - Directory, S - File, S - Mail, S - Unknown, S - Web application, T - Unknown, U - Desktop, "
    "U - Laptop, U - Media, U - Mobile phone, U - Tablet, U - Unknown"
)
ATTRIBUTES: Final = {
    "confidentiality": thing(
        "data_disclosure",
        data={
            "type": "array",
            "minItems": 1,
            "items": thing(
                "variety",
                amount={"type": "integer"},
                variety=one_of(
                    "Bank, Classified, Copyrighted, Credentials, Digital certificate, Internal, Medical, Other, Payment,"
                    " Personal, Secrets, Source code, System, Unknown, Virtual currency"
                ),
            ),
        },
        data_disclosure=one_of("Unknown, Yes, Potentially, No"),
        data_total={"type": "integer"},
        notes=TEXT,
    ),
    "integrity": thing(
        "variety",
        variety=some_of(
            "Alter behavior, Created account, Defacement, Fraudulent transaction, Hardware tampering, Log tampering,"
            " Misrepresentation, Modify configuration, Modify data, Modify privileges, Other, Repurpose, Software installation,"
            " Unknown"
        ),
        notes=TEXT,
    ),
    "availability": thing(
        "variety",
        duration=LENGTH,
        variety=some_of("Acceleration, Degradation, Destruction, Interruption, Loss, Obscuration, Other, Unknown"),
        notes=TEXT,
    ),
}
DISCOVERY: Final = one_of(
    "Unknown, Other, Ext - actor disclosure, Ext - audit, Ext - customer, Ext - emergency response team, Ext - found documents,"
    " Ext - fraud detection, Ext - incident response, Ext - law enforcement, Ext - monitoring service, Ext - other,"
    " Ext - suspicious traffic, Ext - unknown, Int - HIDS, Int - IT review, Int - NIDS, Int - antivirus,"
    " Int - data loss prevention, Int - financial audit, Int - fraud detection, Int - incident response,"
    " Int - infrastructure monitoring, Int - log review, Int - other, Int - reported by employee, Int - security alarm,"
    " Int - unknown, Prt - antivirus, Prt - audit, Prt - incident response, Prt - monitoring service, Prt - other,"
    " Prt - unknown"
)
DAY: Final = {
    "year": {"type": "integer", "minimum": 1950},
    "month": {"type": "integer", "minimum": 1, "maximum": 12},
    "day": {"type": "integer", "minimum": 1, "maximum": 31},
}
SCHEMA: Final = thing(
    "actor action discovery_method schema_version asset timeline incident_id security_incident",
    action=thing(**ACTIONS) | {"minProperties": 1},
    actor=thing(**ACTORS) | {"minProperties": 1},
    asset=thing(
        assets={
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": thing("variety", amount={"type": "integer"}, variety=one_of(ASSETS)),
        }
    )
    | {"minProperties": 1},
    attribute=thing(**ATTRIBUTES) | {"minProperties": 1},
    confidence=one_of("High, Medium, Low, None"),
    discovery_method=DISCOVERY,
    incident_id={"type": "string"},
    reference={"type": "string"},
    schema_version={"type": "string"},
    security_incident=one_of("Suspected, Confirmed, Near miss, False positive"),
    source_id={"type": "string"},
    summary={"type": "string"},
    timeline=thing(
        "incident",
        incident=thing("year", **DAY),
        compromise=LENGTH,
        exfiltration=LENGTH,
        discovery=LENGTH,
        containment=LENGTH,
    ),
    victim=thing(
        "country employee_count industry",
        country=COUNTRY,
        employee_count=one_of("Unknown, Small, Large"),
        industry={"type": "string", "minLength": 2, "maxLength": 6, "pattern": r"\d{2}-?\d{0,4}"},
    ),
)


def contradictions(record: dict[str, Any]) -> Iterator[str]:
    """What the community's check of consistency would say of a record that keeps to the schema."""
    action, actor, attribute = record["action"], record["actor"], record.get("attribute", {})
    integrity = attribute.get("integrity", {}).get("variety", [])
    if "malware" in action and "Software installation" not in integrity:
        yield "malware without Software installation"
    if "social" in action and "Alter behavior" not in integrity:
        yield "social without Alter behavior"
    if "SQLi" in action.get("hacking", {}).get("variety", []) and "Repurpose" not in integrity:
        yield "SQLi without Repurpose"
    if record["security_incident"] == "Confirmed" and not attribute:
        yield "confirmed, and nothing harmed"
    gone = "Theft" in action.get("physical", {}).get("variety", []) or "Loss" in action.get("error", {}).get(
        "variety", []
    )
    if gone and "Loss" not in attribute.get("availability", {}).get("variety", []):
        yield "stolen or lost without Loss"
    if "misuse" in action and not {"internal", "partner"} & actor.keys():
        yield "misuse by nobody of one's own"
    amounts = [one.get("amount", 0) for one in attribute.get("confidentiality", {}).get("data", [])]
    if amounts and max(amounts) > attribute["confidentiality"].get("data_total", 0):
        yield "more data of one kind than in all"
