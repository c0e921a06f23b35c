"""When something is due, in ready words for the `due` part: how late, how soon, or why there is no time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incident.web.filters import day, span
from incident.web.languages import Word, _

SOON = timedelta(hours=24)
NEAR = timedelta(days=7)


@dataclass(frozen=True)
class DueWords:
    """Words and tone for one due time."""

    words: str
    tone: str
    at: datetime | None


def due_words(at: datetime | None, now: datetime, *, none: str = Word("no fixed time")) -> DueWords:
    """`6 h late`, `in 4 h 10 m`, `24 Nov 2026`; `none` where there is no time."""
    if at is None:
        return DueWords(none, "far", None)
    gap = at - now
    if gap < timedelta(0):
        return DueWords(_("%(value)s late", value=span(-gap)), "late", at)
    if gap <= SOON:
        return DueWords(_("in %(gap)s", gap=span(gap)), "soon", at)
    return DueWords(_("in %(gap)s", gap=span(gap)) if gap <= NEAR else day(at), "far", at)


def patterns() -> dict[str, str]:
    """The words above with a gap for each figure, for the browser to go on counting with; `live.js` fills them."""
    return {
        "late": _("%(span)s late", span="{s}"),
        "ahead": _("in %(span)s", span="{s}"),
        "days": _("%(days)s d", days="{d}"),
        "daysHours": _("%(days)s d %(hours)s h", days="{d}", hours="{h}"),
        "hours": _("%(hours)s h", hours="{h}"),
        "hoursMinutes": _("%(hours)s h %(minutes)s m", hours="{h}", minutes="{m}"),
        "minutes": _("%(minutes)s min", minutes="{m}"),
        "moment": _("a moment"),
    }
