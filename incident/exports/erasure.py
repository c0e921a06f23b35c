"""The certificate of an erasure as a page to keep: what went, what stays and why, and where the record speaks of it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident.domain.erasures import WHY
from incident.exports import pdf
from incident.exports.document import Attachment, Document, Item, Section, Table

JSON_MIME = "application/json"


def pdf_bytes(certificate: str, *, company: str) -> bytes:
    """The certificate as a PDF that carries itself as JSON inside, byte for byte as it was kept."""
    told: Mapping[str, Any] = json.loads(certificate)
    name = f"{told['body']['erasure']}.json"
    inside = Attachment(name, JSON_MIME, "The same certificate for machines", certificate.encode())
    return pdf.pdf(document(told, company=company), [inside])


def document(told: Mapping[str, Any], *, company: str) -> Document:
    """The certificate as a document for people."""
    body, record = told["body"], told["record"]
    about = f"{body['person']} of {body['incident']}" if body["person"] else body["incident"]
    return Document(
        title="Certificate of erasure",
        subtitle=f"{body['erasure']} – {about}",
        language="en",
        author=company or "Tocsin",
        at=datetime.fromisoformat(body["decided"]["at"]),
        was_word="Before",
        particulars=(
            ("Erased", f"the contact data of {about}" if body["person"] else f"all personal data of {about}"),
            ("Because", WHY.get(body["why"], body["why"])),
            ("Asked for", f"by {body['asked']['by']}, {_time(body['asked']['at'])}"),
            ("Done", f"by {body['decided']['by']}, {_time(body['decided']['at'])}"),
            ("Digest", told["digest"]),
        ),
        sections=(
            Section("What is gone for good", tables=(_gone(body),), items=tuple(_digests(body))),
            Section("What stays, and why", text=STAYS, tables=(_stays(body),)),
            Section("Where the record speaks of it", text=_recorded(record)),
        ),
        closing="Times are UTC. The data inside this file is the certificate as it was kept.",
    )


STAYS = (
    "It names nobody. It stays so that whoever had to be told can be shown to have been told, "
    "and so that counts and the record can still be checked."
)


def _gone(body: Mapping[str, Any]) -> Table:
    rows = tuple((one["what"], one["table"], f"{one['count']:,}") for one in body["gone"])
    return Table(("What", "Stood in", "How many"), rows, (8, 3, 2))


def _digests(body: Mapping[str, Any]) -> list[Item]:
    return [
        Item(f"SHA-256 of the {one['what']} that are gone", "\n".join(one["sha256"]))
        for one in body["gone"]
        if "sha256" in one
    ]


def _stays(body: Mapping[str, Any]) -> Table:
    rows = tuple(
        (one["what"], one["table"], f"{one['count']:,}" if one["count"] is not None else "–") for one in body["stays"]
    )
    return Table(("What", "Stands in", "How many"), rows, (8, 3, 2))


def _recorded(record: Mapping[str, Any]) -> str:
    return (
        f"Line {record['line']} of the record {record['log']} says that this was done; its hash is {record['leaf']}. "
        f"It holds the digest above. {record['count']:,} lines about the incident, from line {record['first']} to line "
        f"{record['last']}, stay and can still be verified."
    )


def _time(words: str) -> str:
    return f"{datetime.fromisoformat(words):%d %b %Y, %H:%M:%S} UTC"
