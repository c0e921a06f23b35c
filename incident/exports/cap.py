"""An announcement as an alert in the Common Alerting Protocol 1.2 (OASIS), for programs that pass warnings on.

Urgency and severity are said to be unknown: the protocol's words for them speak of danger to life and property, and our own
grades are not public. An area is a place where people concerned live, by its name and its code; none where that is not known.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from incident.domain.wording import cleaned

SPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
HEADLINE: Final = 160
NO_LETTERS: Final = dict.fromkeys((0xFFFE, 0xFFFF))  # what XML 1.0 cannot hold beside control characters
WRITTEN: Final = {"category": "Security", "responseType": "Monitor", "urgency": "Unknown", "severity": "Unknown"}
"""What is the same in every alert, in the protocol's words."""


@dataclass(frozen=True)
class Info:
    """The alert in one language."""

    language: str
    event: str
    headline: str
    description: str
    instruction: str
    web: str
    areas: tuple["Area", ...] = ()


@dataclass(frozen=True)
class Area:
    """A country or a part of one: its name in the language of the alert, and its code (ISO 3166)."""

    name: str
    code: str


@dataclass(frozen=True)
class Alert:
    """An announcement as the protocol takes it; `sender` names a domain, `contact` is for everybody."""

    identifier: str
    sender: str
    sender_name: str
    contact: str
    sent: datetime
    effective: datetime
    expires: datetime | None
    is_exercise: bool
    infos: tuple[Info, ...]


def xml(alert: Alert) -> bytes:
    """Return the alert as an XML document, its elements in the order of the standard."""
    ElementTree.register_namespace("", SPACE)
    root = ElementTree.Element(f"{{{SPACE}}}alert")
    _put(root, _head(alert))
    for info in alert.infos:
        element = ElementTree.SubElement(root, f"{{{SPACE}}}info")
        _put(element, _info(alert, info))
        for area in info.areas:
            _put_area(element, area)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _head(alert: Alert) -> Iterable[tuple[str, str]]:
    yield "identifier", alert.identifier
    yield "sender", alert.sender
    yield "sent", moment(alert.sent)
    yield "status", "Exercise" if alert.is_exercise else "Actual"
    yield "msgType", "Alert"
    yield "scope", "Public"


def _info(alert: Alert, info: Info) -> Iterable[tuple[str, str]]:
    yield "language", info.language
    yield "category", WRITTEN["category"]
    yield "event", info.event
    yield "responseType", WRITTEN["responseType"]
    yield "urgency", WRITTEN["urgency"]
    yield "severity", WRITTEN["severity"]
    yield "certainty", "Observed"
    yield "effective", moment(alert.effective)
    if alert.expires is not None:
        yield "expires", moment(alert.expires)
    yield "senderName", alert.sender_name
    yield "headline", _short(info.headline)
    yield "description", info.description
    yield "instruction", info.instruction
    yield "web", info.web
    yield "contact", alert.contact


def _put_area(parent: ElementTree.Element, area: Area) -> None:
    """An area of CAP 1.2 (section 3.2.4): what it is called, and a code with the list that it is of."""
    element = ElementTree.SubElement(parent, f"{{{SPACE}}}area")
    _put(element, [("areaDesc", area.name)])
    code = ElementTree.SubElement(element, f"{{{SPACE}}}geocode")
    _put(code, [("valueName", "ISO 3166-2" if "-" in area.code else "ISO 3166-1"), ("value", area.code)])


def _put(parent: ElementTree.Element, parts: Iterable[tuple[str, str]]) -> None:
    """Add the elements that have something to say."""
    for name, words in parts:
        if text := cleaned(words).translate(NO_LETTERS):
            ElementTree.SubElement(parent, f"{{{SPACE}}}{name}").text = text


def moment(instant: datetime) -> str:
    """Return an instant as the protocol writes it: whole seconds, and an offset in digits, never Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def _short(headline: str) -> str:
    return headline if len(headline) <= HEADLINE else f"{headline[: HEADLINE - 1].rstrip()}…"
