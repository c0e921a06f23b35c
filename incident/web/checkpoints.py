"""The newest checkpoint as a page to print: the signed note as text and as a code that any telephone reads."""

from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template

from incident import parts
from incident.domain.audit import Checkpoint
from incident.domain.errors import Missing
from incident.store import checkpoints as rows
from incident.web.access import permit
from incident.web.languages import Word
from incident.web.pages import named

if TYPE_CHECKING:
    import qrcode
    from qrcode.image import svg
else:
    qrcode, svg = parts.later("qrcode"), parts.later("qrcode.image.svg")

bp = Blueprint("checkpoints", __name__, url_prefix="/record/checkpoint")


@bp.get("/print")
@permit("record.view")
@named(Word("Print the newest checkpoint"))
def print_() -> str:
    """The newest checkpoint on a sheet of paper, to be put where nobody who runs Tocsin can reach it."""
    newest = rows.latest()
    if newest is None:
        raise Missing("No checkpoint has been signed yet; one is signed every day and after each dispatch.")
    return render_template("audit/print.html", **_sheet(newest))


def _sheet(newest: rows.Checkpoint) -> dict[str, Any]:
    read = Checkpoint.read(newest.note)
    return {
        "note": newest.note,
        "size": read.size,
        "root": read.root.hex(),
        "log": read.origin.partition("/")[2],
        "at": datetime.fromisoformat(newest.at),
        "key": str(rows.key()),
        "note_code": _code(newest.note),
        "key_code": _code(str(rows.key())),
    }


def _code(text: str) -> str:
    """The text as a QR code, an SVG in base64."""
    image = qrcode.make(text, image_factory=svg.SvgPathFillImage, border=2)
    return b64encode(image.to_string()).decode()
