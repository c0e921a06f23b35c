"""The clock of a drill around every page of its incident: the mode in the bar, the strip below it, and what time left means there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from flask import Flask, g, has_request_context, url_for

from incident.domain.drills import Course, span_words
from incident.exports.catalogue import speaker
from incident.store import drills as rows
from incident.store.drills import Drill
from incident.web.access import me, now
from incident.web.languages import Word, _, tag

COURSE_WORDS = {
    Course.RUNNING: (Word("running"), "open"),
    Course.PAUSED: (Word("paused"), "soon"),
    Course.ENDED: (Word("over"), "met"),
}


@dataclass(frozen=True)
class Strip:
    """What the strip says: the course, the time on the drill's clock, how long it has run, and where its pages are."""

    course: str
    reads: datetime
    real: datetime
    span: str
    factor: int
    players: str
    lead: str


def init(app: Flask) -> None:
    """Hands strip and time left to every page."""
    app.jinja_env.globals.update(drill_strip=strip, drill_left=left)


def drill() -> Drill | None:
    """The exercise that this request's incident is, if it is one; asked for once."""
    if not has_request_context() or "incident" not in g or g.incident.kind != "drill":
        return None
    kept = g.get("drill")
    if kept is None or kept[0] != g.incident.id:
        kept = g.drill = (g.incident.id, rows.of(g.incident.id))
    return cast("Drill | None", kept[1])


def is_facilitator() -> bool:
    """Whether the reader leads this drill."""
    found = drill()
    return found is not None and found.facilitator == me().ref


def mode() -> dict[str, str] | None:
    """The mode of pages of a drill; None elsewhere."""
    if not has_request_context() or "incident" not in g or g.incident.kind != "drill":
        return None
    return {
        "word": Word("Drill"),
        "tone": "open",
        "means": _("A drill: nothing here reaches a real person or an authority."),
    }


def strip() -> Strip | None:
    """The clock of this request's drill in ready words; None where it is no exercise."""
    found = drill()
    if found is None:
        return None
    work, ref = found.clock, g.incident.ref
    return Strip(
        course="" if work.course is Course.RUNNING else str(COURSE_WORDS[work.course][0]),
        reads=work.reads(now()),
        real=now(),
        span=span_words(work.passed(now()), speaker(tag())),
        factor=work.factor,
        players=url_for("drill.show", incident=ref),
        lead=url_for("drill.lead", incident=ref) if is_facilitator() else "",
    )


def left(at: datetime | None) -> str:
    """How much time of the drill is left until then, or how late it is; nothing where time is real time."""
    found = drill() if at is not None else None
    if found is None or at is None or found.factor == 1 or found.ended_at is not None:
        return ""
    gap = found.clock.left(at, found.paused_at or now())
    if gap < timedelta(0):
        return _("%(span)s of the drill late", span=span_words(gap, speaker(tag())))
    return _("%(span)s of the drill left", span=span_words(gap, speaker(tag())))
