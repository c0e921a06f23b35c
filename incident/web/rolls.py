"""Who fell out of a correction between its approval and its start."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, g, render_template, request, url_for

from incident.domain.errors import Missing
from incident.domain.rolls import unpacked
from incident.exports import csv
from incident.store import dispatches
from incident.store.dispatches import Dispatch
from incident.web.access import permit
from incident.web.incidents import csv_answer

bp = Blueprint("rolls", __name__, url_prefix="/incidents/<incident>/sending/<dispatch>")

PAGE = 200


@bp.get("/left-out")
@permit("sending.view")
def show(incident: str, dispatch: str) -> str:
    """By reference, with the way to each person."""
    row = _found(dispatch)
    after = max(0, request.args.get("after", 0, type=int))
    numbers = [number for number in left_out(row) if number > after]
    shown = numbers[:PAGE]
    more = url_for(".show", incident=incident, dispatch=dispatch, after=shown[-1]) if len(numbers) > len(shown) else ""
    return render_template("deliveries/left_out.html", row=row, found=shown, count=len(left_out(row)), more=more)


@bp.get("/left-out.csv")
@permit("sending.view")
def table(incident: str, dispatch: str) -> Response:
    """The same as CSV."""
    row = _found(dispatch)

    def lines() -> Iterator[tuple[Any, ...]]:
        yield from ((f"P-{number}",) for number in left_out(row))

    return csv_answer(csv.rows(("person",), lines()), f"{dispatch}-left-out.csv")


def left_out(row: Dispatch) -> Sequence[int]:
    """The numbers of those who fell out, lowest first."""
    return unpacked(row.fell_out) if row.fell_out else []


def _found(dispatch: str) -> Dispatch:
    row = dispatches.by_ref(g.incident.id, dispatch)
    if row is None:
        raise Missing()
    return row
