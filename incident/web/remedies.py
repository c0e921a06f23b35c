"""What is offered to people in an incident: set up, its codes brought and counted, who was given one and what was redeemed."""

import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, BinaryIO, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import crowds
from incident.actions import remedies as actions
from incident.actions.merging import facts_of
from incident.domain import remedies as rules
from incident.domain import starters
from incident.domain.errors import Invalid, Missing
from incident.domain.people import Audience
from incident.domain.remedies import Counted, Service
from incident.domain.stale import seen_mark
from incident.exports import csv
from incident.store import remedies as rows
from incident.store.remedies import Remedy
from incident.web.access import actor, now, permit
from incident.web.answers import LOCAL
from incident.web.filters import number
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _, tongue
from incident.web.pages import named

bp = Blueprint("remedies", __name__, url_prefix="/incidents/<incident>/remedies")

PAGE: Final = 50
LONGEST_TYPED: Final = 2_000
SERVICES: Final = {
    Service.CREDIT_MONITORING: Word("credit monitoring"),
    Service.ID_THEFT_PREVENTION: Word("identity theft prevention"),
    Service.VOUCHER: Word("voucher"),
    Service.OTHER: Word("something else"),
}
WHICH: Final = {
    "": Word("All"),
    "given": Word("Given to somebody"),
    "unused": Word("Given, not redeemed"),
    "redeemed": Word("Redeemed"),
    "free": Word("Not given"),
}


@bp.get("/")
@permit("remedy.view")
@named(Word("Remedies for people"))
def index(incident: str) -> str:
    """The remedies of this incident, how many codes are left, and what laws want offered."""
    return _index({})


def _index(errors: Mapping[str, str], at: str = "") -> str:
    held = rows.of_incident(g.incident.id)
    known = [row.pool for row in held]
    duties = crowds.duties(g.incident.id, Audience(), facts_of(g.incident.id))
    wanted = list(dict.fromkeys((one, duty.cite) for duty in duties for one in duty.owed))
    missing = set(rules.unmet([one for one, _cite in wanted], known))
    return render_template(
        "remedies/list.html",
        held=held,
        services=SERVICES,
        wanted=[(one, cite, one in missing) for one, cite in wanted],
        fields={row.number: rules.field("code", row.number) for row in held},
        over={row.ref: row.until is not None and row.until < now().date() for row in held},
        soon={row.ref: rules.soon_over(row.pool, now().date()) for row in held},
        room=len(held) < rules.MOST,
        errors=errors,
        at=at,
    )


@bp.get("/remedies.csv")
@permit("remedy.view")
def table(incident: str) -> Response:
    """The remedies with their counts, as CSV."""
    header = (
        "remedy", "number", "name", "services", "months", "provider", "until", "codes", "given", "redeemed", "spoilt", "free",
    )  # fmt: skip
    lines = (
        (
            *(row.ref, row.number, row.name, " ".join(row.services), row.months, row.provider, row.until or ""),
            *(row.codes, row.given, row.redeemed, row.spoilt, row.free),
        )
        for row in rows.of_incident(g.incident.id)
    )
    return csv_answer(csv.rows(header, lines), f"{incident}-remedies.csv")


@bp.get("/new")
@permit("remedy.change")
@named(Word("Set up a remedy"))
def new(incident: str) -> str:
    """Set up a remedy."""
    return _form(None, {}, {})


@bp.post("/")
@permit("remedy.change")
def offer(incident: str) -> ResponseReturnValue:
    """Keep a new one."""
    try:
        ref = actions.offer(incident, given(), actor=actor(), now=now())
    except Invalid as error:
        return _form(None, request.form, {error.field: error.sentence}), 422
    flash(_("It is set up. Texts can name it from now on."), "met")
    return redirect(url_for(".index", incident=incident, _anchor=ref))


@bp.get("/<ref>")
@permit("remedy.view")
def show(incident: str, ref: str) -> str:
    """One remedy: who was given a code, and which were redeemed. No code is shown."""
    row = _one(ref)
    which = request.args.get("which", "")
    which = which if which in WHICH else ""
    after = request.args.get("after", 0, type=int)
    found = list(rows.page(row.id, after=after, limit=PAGE + 1, only=which))
    return render_template(
        "remedies/show.html",
        row=row,
        services=SERVICES,
        found=found[:PAGE],
        which=which,
        choices=WHICH,
        more=url_for(".show", incident=incident, ref=ref, which=which, after=found[PAGE - 1].serial)
        if len(found) > PAGE
        else "",
        first=url_for(".show", incident=incident, ref=ref, which=which) if after else "",
    )


@bp.get("/<ref>/codes.csv")
@permit("remedy.view")
def codes_table(incident: str, ref: str) -> Response:
    """Who was given a code when, and what was redeemed, as CSV: numbers and times, no code."""
    row = _one(ref)

    def lines() -> Iterator[tuple[Any, ...]]:
        after = 0
        while found := rows.page(row.id, after=after, limit=2_000):
            for one in found:
                person = f"P-{one.person}" if one.person is not None else ""
                yield row.ref, one.serial, person, one.given_at or "", one.redeemed_at or ""
            after = found[-1].serial

    header = ("remedy", "code", "person", "given_at (UTC)", "redeemed_at (UTC)")
    return csv_answer(csv.rows(header, lines()), f"{row.ref}-codes.csv")


@bp.get("/<ref>/edit")
@permit("remedy.change")
def edit(incident: str, ref: str) -> str:
    """Describe it anew."""
    return _form(_one(ref), {}, {})


@bp.post("/<ref>")
@permit("remedy.change")
def change(incident: str, ref: str) -> ResponseReturnValue:
    """Keep what was changed."""
    try:
        actions.change(incident, ref, given(), seen=request.form.get("seen"), actor=actor(), now=now())
    except Invalid as error:
        return _form(_one(ref), request.form, {error.field: error.sentence}), 422
    flash(_("Kept."), "met")
    return redirect(url_for(".index", incident=incident, _anchor=ref))


@bp.post("/<ref>/codes")
@permit("remedy.change")
def bring(incident: str, ref: str) -> ResponseReturnValue:
    """Take in a file of codes."""
    try:
        counted = actions.bring(incident, ref, _file(), actor=actor(), now=now())
    except Invalid as error:
        return _index({error.field: error.sentence}, ref), 422
    flash(_("Taken in: %(taken)s codes.", taken=number(counted.taken)) + _rest(counted), "met")
    return redirect(url_for(".index", incident=incident, _anchor=ref))


@bp.post("/<ref>/redeemed")
@permit("remedy.change")
def redeem(incident: str, ref: str) -> ResponseReturnValue:
    """Take in which codes were redeemed: the provider's list, or one typed code."""
    typed = request.form.get("code", "").strip()[:LONGEST_TYPED]
    try:
        file = io.BytesIO(typed.encode()) if typed else _file()
        counted = actions.redeem(incident, ref, file, actor=actor(), now=now())
    except Invalid as error:
        return _index({"redeemed": error.sentence}, ref), 422
    said = _("%(taken)s more codes are noted as redeemed.", taken=number(counted.taken))
    strange = _(" %(strange)s are none of these codes.", strange=number(counted.refused)) if counted.refused else ""
    flash(said + strange, "met" if counted.taken + counted.known else "late")
    return redirect(url_for(".index", incident=incident, _anchor=ref))


@bp.post("/<ref>/drop")
@permit("remedy.change")
def drop(incident: str, ref: str) -> ResponseReturnValue:
    """Destroy the codes that nobody was given."""
    try:
        gone = actions.drop_unused(incident, ref, typed=request.form.get("typed", ""), actor=actor(), now=now())
    except Invalid as error:
        return _index({error.field: error.sentence}, ref), 422
    flash(_("%(gone)s codes are destroyed.", gone=number(gone)), "met")
    return redirect(url_for(".index", incident=incident, _anchor=ref))


def _rest(counted: Counted) -> str:
    """What became of the other rows, where there are some."""
    said = _(" Here already: %(known)s.", known=number(counted.known)) if counted.known else ""
    return said + (
        _(" %(refused)s rows held no code that can be printed.", refused=number(counted.refused))
        if counted.refused
        else ""
    )


def _file() -> BinaryIO:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("file", "Choose a file: one code a line, or CSV with the code first.")
    return file.stream  # type: ignore[return-value]


def given() -> dict[str, Any]:
    """What the form says. Raises Invalid for a day that is none."""
    form = request.form
    until = form.get("until", "").strip()
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError:
        raise Invalid("until", "Write the day like 2027-03-31.") from None
    how = {tag: form.get(f"how-{tag}", "") for tag in starters.languages()}
    return {
        **{name: form.get(name, "") for name in ("name", "months", "provider")},
        "services": form.getlist("services"),
        "until": day,
        "coded": form.get("coded") == "yes",
        "how": how,
    }


def _form(row: Remedy | None, typed: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    held = row.offer.to_json() if row is not None else {"months": "", "coded": True, "services": [], "how": {}}
    said = held | dict(typed.items())
    if typed:
        said |= {"services": request.form.getlist("services"), "coded": typed.get("coded") == "yes"}
        said["how"] = {tag: typed.get(f"how-{tag}", "") for tag in starters.languages()}
    return render_template(
        "remedies/edit.html",
        row=row,
        said=said,
        errors=errors,
        services=SERVICES,
        languages=[(tag, tongue(tag)) for tag in starters.languages()],
        seen=seen_mark(row.changed_at.isoformat()) if row is not None else "",
        local=LOCAL,
    )


def _one(ref: str) -> Remedy:
    row = rows.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    return row
