"""The pages of evidence: what was brought, who holds it, and a copy of it."""

from base64 import b64encode
from typing import Any

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import evidence as evidence_actions
from incident.domain.errors import Invalid
from incident.store import incidents as rows
from incident.store import searches
from incident.web.access import actor, now, permit
from incident.web.incident_list import bp as incidents
from incident.web.languages import Word
from incident.web.marked import hidden
from incident.web.pages import named

bp = incidents  # a piece of evidence has its address below its incident


@bp.get("/<incident>/evidence")
@permit("evidence.view")
@named(Word("Evidence"))
def evidence(incident: str) -> str:
    """All pieces of evidence with their custody."""
    return _evidence_page({}, {})


@bp.post("/<incident>/evidence")
@permit("evidence.change")
def bring_evidence(incident: str) -> ResponseReturnValue:
    """Bring a piece of evidence."""
    upload, form = request.files.get("file"), request.form
    try:
        if upload is None or not upload.filename:
            raise Invalid("file", "Choose the file.")
        evidence_actions.bring(
            incident,
            upload.stream,
            name=upload.filename,
            brought_by=form.get("brought_by", ""),
            description=form.get("description", ""),
            folder=_folder(),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _evidence_page(form.to_dict(), {error.field: error.sentence}), 422
    flash("Kept, sealed, and known by its SHA-256.", "met")
    return redirect(url_for(".evidence", incident=incident))


def _evidence_page(typed: dict[str, str], errors: dict[str, str]) -> str:
    custody: dict[int, list[Any]] = {}
    for move in rows.custody(g.incident.id):
        custody.setdefault(move.evidence_id, []).append(move)
    pieces = [piece for piece in rows.evidence(g.incident.id) if piece.ref not in hidden("evidence")]
    return render_template(
        "incidents/evidence.html",
        pieces=pieces,
        custody=custody,
        searches=searches.latest(piece.id for piece in pieces),
        searched=current_app.extensions["searcher"] is not None,
        typed=typed,
        errors=errors,
    )


@bp.post("/<incident>/evidence/<piece>/custody")
@permit("evidence.change")
def hand_on(incident: str, piece: str) -> ResponseReturnValue:
    """Record that a piece went to somebody else."""
    evidence_actions.hand_on(
        incident,
        piece,
        holder=request.form.get("holder", ""),
        reason=request.form.get("reason", ""),
        seen=request.form.get("seen"),
        actor=actor(),
        now=now(),
    )
    flash("The hand-over is recorded.", "met")
    return redirect(url_for(".evidence", incident=incident) + f"#{piece}")


@bp.get("/<incident>/evidence/<piece>/file")
@permit("evidence.copy")
def download(incident: str, piece: str) -> Response:
    """The piece as a download, never as a page. The look leaves a line."""
    return _copy(incident, piece, despite=False)


@bp.post("/<incident>/evidence/<piece>/file")
@permit("evidence.copy")
def download_despite(incident: str, piece: str) -> Response:
    """The same for a piece in which malware was found, for whoever says that they know."""
    return _copy(incident, piece, despite=True)


def _copy(incident: str, piece: str, *, despite: bool) -> Response:
    found, pieces = evidence_actions.take_copy(
        incident, piece, folder=_folder(), despite=despite, actor=actor(), now=now()
    )
    headers = {
        "Content-Disposition": f"attachment; filename=\"{found.ref}\"; filename*=UTF-8''{_quoted(found.name)}",
        "Content-Length": str(found.size),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(found.sha256)).decode()}:",
    }
    return Response(pieces, mimetype="application/octet-stream", headers=headers)


def _quoted(name: str) -> str:
    from_letters = name.encode("utf-8")
    return "".join(
        chr(byte) if (chr(byte).isascii() and chr(byte).isalnum()) or byte in b"._-" else f"%{byte:02X}"
        for byte in from_letters
    )


def _folder() -> Any:
    return current_app.extensions["settings"].instance / "files"
