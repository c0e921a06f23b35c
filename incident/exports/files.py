"""The files of a report, by kind: what each is called, what it is, and how it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from incident.domain.forms import Form
from incident.exports import docx, json, misp, pdf, report, stix, veris
from incident.exports.document import Attachment
from incident.exports.report import Sheet


@dataclass(frozen=True)
class File:
    """One file: bytes with a name, a type and a digest."""

    ref: str
    kind: str
    content: bytes

    @property
    def name(self) -> str:
        """What the file is called when it is saved."""
        return f"{self.ref}.{ENDINGS.get(self.kind, self.kind)}"

    @property
    def mime(self) -> str:
        """Its media type."""
        return MIMES[self.kind]

    @property
    def sha256(self) -> str:
        """SHA-256 of its bytes, in hexadecimal."""
        return sha256(self.content).hexdigest()


def made(kind: str, form: Form, sheet: Sheet) -> File:
    """The report as a file of this kind."""
    return File(sheet.ref, kind, MAKERS[kind](form, sheet))


def _pdf(form: Form, sheet: Sheet) -> bytes:
    data = Attachment(
        f"{sheet.ref}.json", json.MIME, "The same report for machines, with the facts it rests on", _json(form, sheet)
    )
    return pdf.pdf(report.document(form, sheet), [data])


def _docx(form: Form, sheet: Sheet) -> bytes:
    return docx.docx_bytes(report.document(form, sheet))


def _json(form: Form, sheet: Sheet) -> bytes:
    return json.json_bytes(report.data(form, sheet))


def _csv(form: Form, sheet: Sheet) -> bytes:
    return "".join(report.table(sheet)).encode("utf-8")


MIMES: Mapping[str, str] = {
    "pdf": pdf.MIME,
    "docx": docx.MIME,
    "json": json.MIME,
    "csv": "text/csv; charset=utf-8",
    "stix": stix.MIME,
    "veris": veris.MIME,
    "misp": misp.MIME,
}
ENDINGS: Mapping[str, str] = {"stix": "stix.json", "veris": "veris.json", "misp": "misp.json"}
"""What follows the reference in the name of a file whose kind is no usual ending."""
MAKERS: Mapping[str, Callable[[Form, Sheet], bytes]] = {"pdf": _pdf, "docx": _docx, "json": _json, "csv": _csv}
KINDS = tuple(MAKERS)
