"""Letters of an incident: batches to print and post, and what the post brings back."""

from datetime import date
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from incident.actions import letters as actions
from incident.actions import returned
from incident.actions.returned import VERDICT_WORDS, Verdict
from incident.domain import letters as rules
from incident.domain.errors import Invalid
from incident.domain.letters import CARRIES, RETURN_WORDS, STAGE_WORDS, Returned, Stage
from incident.exports import csv
from incident.exports.letters import MIME
from incident.store import letters as rows
from incident.web.access import actor, now, permit, zone
from incident.web.deliveries import names
from incident.web.imports import folder
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("letters", __name__, url_prefix="/incidents/<incident>/letters")

PAGE = 50


@bp.get("/")
@permit("sending.view")
@named(Word("Letters to print"))
def index(incident: str) -> str:
    """What waits to be printed, and every batch, newest first."""
    before = request.args.get("before", type=int)
    found = list(rows.of_incident(g.incident.id, before=before, limit=PAGE + 1))
    more = url_for(".index", incident=incident, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    return render_template(
        "letters/list.html",
        waiting=[] if before else rows.to_print(g.incident.id),
        batches=found[:PAGE],
        more=more,
        stages={stage.value: STAGE_WORDS[stage] for stage in Stage},
        carries=CARRIES,
        forms=rules.forms(),
        most=rules.MOST_LETTERS,
        today=now().astimezone(zone()).date(),
        is_set_up=bool(current_app.extensions["settings"].letters),
        people=names([word for one in found for word in (one.asked_by, one.ended_by) if word]),
    )


@bp.get("/batches.csv")
@permit("sending.view")
def table(incident: str) -> Response:
    """Every batch as CSV."""
    header = (
        "batch", "stage", "letters", "pages", "files", "digest", "asked by", "asked (UTC)", "printed (UTC)", "way",
        "posted on", "ended by", "ended (UTC)",
    )  # fmt: skip
    found = rows.of_incident(g.incident.id, limit=10_000)
    lines = (
        (
            one.ref, one.stage, one.letters, one.pages, len(one.files), one.digest, one.asked_by, one.asked_at,
            one.made_at, one.way, one.posted_on.isoformat() if one.posted_on else "", one.ended_by, one.ended_at,
        )
        for one in found
    )  # fmt: skip
    return csv_answer(csv.rows(header, lines), f"{incident}-letters.csv")


@bp.post("/")
@permit("letter.print")
def ask(incident: str) -> ResponseReturnValue:
    """Have a batch printed."""
    most = request.form.get("most", rules.MOST_LETTERS, type=int)
    ref = actions.ask(incident, request.form.get("sending", ""), most=most, actor=actor(), now=now())
    flash(f"{ref} is being printed into files; look again in a moment.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.get("/<batch>/manifest.csv")
@permit("sending.view")
def manifest(incident: str, batch: str) -> Response:
    """The manifest for the mail house: no name, no address."""
    return manifest_of(batch)


def manifest_of(batch: str) -> Response:
    """The manifest of a batch as CSV, for pages and programs alike."""
    _, found = actions.manifest(g.incident.id, batch)
    return csv_answer(csv.rows(rules.MANIFEST, found), f"{batch}-manifest.csv")


@bp.post("/<batch>/files/<name>")
@permit("letter.print")
def copy(incident: str, batch: str, name: str) -> Response:
    """One print file as a download; it leaves a line, so it is asked for by a button."""
    return print_file(incident, batch, name)


def print_file(incident: str, batch: str, name: str) -> Response:
    """A print file as it is streamed to pages and programs; leaves a line."""
    file, parts = actions.print_copy(incident, batch, name, folder=folder(), actor=actor(), now=now())
    headers = {"Content-Disposition": f'attachment; filename="{file["name"]}"', "Content-Length": str(file["size"])}
    return Response(stream_with_context(parts), mimetype=MIME, headers=headers)


@bp.post("/<batch>/posted")
@permit("letter.print")
def posted(incident: str, batch: str) -> ResponseReturnValue:
    """They left the house."""
    actions.posted(
        incident,
        batch,
        way=request.form.get("way", ""),
        day=_day(request.form.get("day", "")),
        actor=actor(),
        now=now(),
        today=now().astimezone(zone()).date(),
    )
    flash(f"{batch} is kept as posted: its letters count as handed over.", "met")
    return redirect(url_for(".index", incident=incident))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@bp.post("/<batch>/throw-away")
@permit("letter.print")
def throw_away(incident: str, batch: str) -> ResponseReturnValue:
    """Nothing of it was posted: the letters wait again."""
    count = actions.throw_away(
        incident, batch, typed=request.form.get("typed", ""), folder=folder(), actor=actor(), now=now()
    )
    flash(f"{count:,} letters were thrown away; they wait to be printed again.", "met")
    return redirect(url_for(".index", incident=incident))


# What came back -----------------------------------------------------------------------------------------------------


@bp.get("/returned/")
@permit("sending.view")
@named(Word("Letters that came back"))
def back(incident: str) -> str:
    """The field to scan into, a list to bring, and what came back so far."""
    return _back(incident)


def _back(incident: str, account: list[returned.Row] | None = None, error: str = "") -> str:
    before = request.args.get("before", type=int)
    found = list(rows.returns(g.incident.id, before=before, limit=PAGE + 1))
    more = url_for(".back", incident=incident, before=found[PAGE - 1][0].id) if len(found) > PAGE else ""
    return render_template(
        "letters/returned.html",
        found=found[:PAGE],
        more=more,
        whys={why.value: RETURN_WORDS[why] for why in Returned},
        why=request.values.get("why", Returned.UNKNOWN.value),
        account=account,
        counts=_counted(account or []),
        troubles=[row for row in account or [] if row.verdict is not Verdict.RETURNED][:500],
        verdicts=VERDICT_WORDS,
        error=error,
        grouped=rules.grouped,
        people=names([word for one, _, _ in found for word in (one.by, one.undone_by) if word]),
    )


def _counted(account: list[returned.Row]) -> list[tuple[str, int]]:
    counts = {verdict: sum(row.verdict is verdict for row in account) for verdict in Verdict}
    return [(VERDICT_WORDS[verdict], count) for verdict, count in counts.items() if count]


@bp.get("/returned.csv")
@permit("sending.view")
def back_table(incident: str) -> Response:
    """Every letter that came back, as CSV."""

    def lines() -> Any:
        before: int | None = None
        while found := rows.returns(g.incident.id, before=before, limit=1_000):
            for one, row, batch in found:
                yield (
                    row.ref,
                    f"P-{row.person_number}",
                    batch.ref,
                    one.why,
                    one.by,
                    one.at,
                    one.undone_by,
                    one.undone_at,
                )
            before = found[-1][0].id

    header = ("reference", "person", "batch", "why", "noted by", "noted (UTC)", "taken back by", "taken back (UTC)")
    return csv_answer(csv.rows(header, lines()), f"{incident}-returned-letters.csv")


@bp.post("/returned/")
@permit("letter.return")
def scan(incident: str) -> ResponseReturnValue:
    """One letter came back; the field is there again for the next one."""
    why = request.form.get("why", "")
    row = returned.scan(incident, request.form.get("reference", ""), why=why, actor=actor(), now=now())
    said = (
        f"{rules.grouped(row.ref)}: {VERDICT_WORDS[row.verdict]}."
        if row.ref
        else _("That is no reference: scan it again.")
    )
    flash(said, "met" if row.verdict is Verdict.RETURNED else "soon")
    return redirect(url_for(".back", incident=incident, why=why))


@bp.post("/returned/list")
@permit("letter.return")
def bring(incident: str) -> ResponseReturnValue:
    """A list of letters came back: its account, row by row."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Invalid("file", "Choose a file: CSV or XLSX.")
        account = returned.take_list(incident, file.stream, why=request.form.get("why", ""), actor=actor(), now=now())
    except Invalid as error:
        return _back(incident, error=error.sentence), 422
    return _back(incident, account)


@bp.post("/returned/<ref>/undo")
@permit("letter.return")
def undo(incident: str, ref: str) -> ResponseReturnValue:
    """It had not come back after all."""
    returned.undo(incident, ref, actor=actor(), now=now())
    flash("Taken back: the letter counts as handed over again.", "met")
    return redirect(url_for(".back", incident=incident))
