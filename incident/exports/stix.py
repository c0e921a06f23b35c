"""An incident as a STIX 2.1 bundle (OASIS STIX 2.1, 2021), with the Incident Core Extension 2.0 of its TC.

The organisation is an identity, the incident an incident; counts and kinds stand in the extension. Marked TLP:AMBER, which
says: within the receiving organisation and its clients alone.
"""

from datetime import UTC, datetime
from typing import Any, Final

from incident.domain.dossier import Dossier
from incident.exports import shared

MIME: Final = "application/stix+json;version=2.1"
CORE: Final = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"
AMBER: Final = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
CONFIDENCE: Final = {"high": 85, "medium": 50, "low": 15}
"""STIX 2.1, appendix A, none-low-medium-high scale."""
CRITICALITY: Final = {"critical": 95, "high": 70, "moderate": 40, "low": 15}
TYPES: Final = {
    "ransomware": ("compromised-system",),
    "data_leak": ("unauthorized-release",),
    "account_takeover": ("unauthorized-access",),
    "phishing": ("unauthorized-access",),
    "skimming": ("compromised-system", "unauthorized-access"),
    "lost_device": ("equipment-loss",),
    "misdirected": ("unauthorized-release",),
    "insider": ("unauthorized-use",),
    "supplier": ("supply-chain-customer",),
}
METHODS: Final = {
    "monitoring": "automated-tool",
    "staff": "human-review",
    "customer": "user-reporting",
    "attacker": "message-from-attacker",
}


def bundle(told: Dossier) -> dict[str, Any]:
    """The bundle as JSON-ready values. The same moment of the same incident gives the same bundle. Raises Refused."""
    told = shared.real(told)
    return {
        "type": "bundle",
        "id": f"bundle--{shared.identifier(told, f'stix {told.made_at.isoformat()}')}",
        "objects": [_house(told), _incident(told)],
    }


def _house(told: Dossier) -> dict[str, Any]:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": _house_id(told),
        "created": _when(told.opened_at),
        "modified": _when(told.opened_at),
        "name": told.company.name or "The organisation that reports",
        "identity_class": "organization",
    }


def _house_id(told: Dossier) -> str:
    return f"identity--{shared.identifier(told, 'organisation')}"


def _incident(told: Dossier) -> dict[str, Any]:
    what = told.facts.get("what_happened")
    made: dict[str, Any] = {
        "type": "incident",
        "spec_version": "2.1",
        "id": f"incident--{shared.identifier(told, 'incident')}",
        "created_by_ref": _house_id(told),
        "created": _when(told.opened_at),
        "modified": _when(max(told.made_at, told.opened_at)),
        "name": told.title,
        "labels": [told.category.replace("_", "-")] if told.category else [],
        "external_references": [{"source_name": "tocsin", "external_id": told.ref}],
        "object_marking_refs": [AMBER],
        "extensions": {CORE: _core(told)},
    }
    if what and isinstance(what.value, str):
        made |= {"description": what.value}
        made |= {"confidence": CONFIDENCE[what.confidence]} if what.confidence in CONFIDENCE else {}
    return {name: value for name, value in made.items() if value != []}


def _core(told: Dossier) -> dict[str, Any]:
    core: dict[str, Any] = {
        "extension_type": "property-extension",
        "determination": _determination(told),
        "investigation_status": told.state if told.state == "closed" else "open",
    }
    if types := _types(told):
        core["incident_types"] = types
    if method := METHODS.get(shared.word(told, "how_found")):
        core["detection_methods"] = [method]
    if (criticality := CRITICALITY.get(shared.level(told))) is not None:
        core["criticality"] = criticality
    if (people := shared.people(told)) is not None:
        core["impacted_entity_counts"] = {"individual": people}
    return core


def _determination(told: Dossier) -> str:
    if told.kind == "near_miss":
        return "failed-attempt"
    harmed = shared.word(told, "exfiltration") in shared.GOT_OUT or shared.words(told, "properties")
    return "successful-attempt" if harmed else "suspected"


def _types(told: Dossier) -> list[str]:
    types = list(TYPES.get(told.category, ()))
    if told.category == "lost_device" and shared.yes(told, "malicious"):
        types.append("equipment-theft")
    if "availability" in shared.words(told, "properties"):
        types.append("denial-of-service")
    if shared.yes(told, "significant_incident") or shared.yes(told, "major_ict_incident"):
        types.append("major")
    return types


def _when(moment: datetime) -> str:
    """As STIX writes a moment: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
