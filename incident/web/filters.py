"""Words for times, sizes and numbers in templates, in the reader's language and zone, with the zone shown."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, get_timezone_location
from flask import Flask

from incident.clock import now
from incident.exports.catalogue import FORMATS, catalogue
from incident.store.incidents import Incident
from incident.web import access, languages
from incident.web.languages import _

LISTED = {"en": ", ", "zh-Hans": "、"}
MOMENTS = {"en": "EEE d MMM y, HH:mm", "zh-Hans": "y年M月d日EEE HH:mm"}
DAYS = {"en": "d MMM y", "zh-Hans": "y年M月d日"}
BRIEF = {"en": "d MMM", "zh-Hans": "M月d日"}
WEEKDAYS = {"en": "EEE d MMM", "zh-Hans": "M月d日EEE"}
"""How each language writes them, in the pattern letters of Unicode (TR 35)."""


def init(app: Flask) -> None:
    """Hands the words to the templates."""
    app.jinja_env.filters.update(
        when=when, day=day, ago=ago, size=size, number=number, span=span, titled=titled, listed=listed
    )
    app.jinja_env.globals.update(zone_name=zone_name, now=now)


def when(instant: datetime | None, zone: ZoneInfo | None = None) -> str:
    """Such as `Sat 21 Nov 2026, 15:42 Berlin` or `2026年11月21日周六 15:42 柏林`; a dash for none."""
    if instant is None:
        return "—"
    zone = zone or access.zone()
    return f"{_moment(instant.astimezone(UTC).replace(second=0, microsecond=0), zone, languages.tag())} {_city(zone)}"


@lru_cache(maxsize=4_096)
def _moment(minute: datetime, zone: ZoneInfo, tag: str) -> str:
    """Lists say the same minutes again and again, and Babel takes its time over each."""
    return format_datetime(minute.astimezone(zone), MOMENTS[tag], locale=FORMATS[tag])


def brief(at: datetime, zone: ZoneInfo) -> str:
    """Such as `21 Nov` or `11月21日`: for plots, where the next date stands near."""
    return format_date(at.astimezone(zone).date(), BRIEF[languages.tag()], locale=languages.locale())


def weekday(at: datetime, zone: ZoneInfo) -> str:
    """Such as `Sat 21 Nov`."""
    return format_date(at.astimezone(zone).date(), WEEKDAYS[languages.tag()], locale=languages.locale())


def day(value: date | datetime | None) -> str:
    """Such as `21 Nov 2026` or `2026年11月21日`; instants by the reader's zone."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = value.astimezone(access.zone()).date()
    return format_date(value, DAYS[languages.tag()], locale=languages.locale())


def ago(instant: datetime | None) -> str:
    """Such as `5 min ago` or `in 3 d 4 h`; a dash for none."""
    if instant is None:
        return "—"
    gap = instant - now()
    words = span(abs(gap))
    return _("in %(span)s", span=words) if gap > timedelta(0) else _("%(span)s ago", span=words)


def span(gap: timedelta) -> str:
    """A length of time in its two largest units, such as `3 d 4 h`."""
    minutes = int(gap.total_seconds() // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        together = days < 14 and hours
        return _("%(days)s d %(hours)s h", days=days, hours=hours) if together else _("%(days)s d", days=days)
    if hours:
        return (
            _("%(hours)s h %(minutes)s m", hours=hours, minutes=minutes) if minutes else _("%(hours)s h", hours=hours)
        )
    return _("%(minutes)s min", minutes=minutes) if minutes else _("a moment")


def size(count: int | None) -> str:
    """Bytes in the unit people would use, such as `1.4 MB`."""
    if count is None:
        return "—"
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return _("%(count)s bytes", count=f"{value:,.0f}") if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: the last unit always answers")


def number(value: int | float | None) -> str:
    """With a comma every three digits; a dash for none."""
    return "—" if value is None else f"{value:,}"


def listed(things: Iterable[object]) -> str:
    """Things one after the other as the reader's language parts them: `a, b` or `甲、乙`."""
    return LISTED[languages.tag()].join(str(one) for one in things)


def titled(case: Incident) -> str:
    """The title of an incident; that of a drill whose scenario brought it, in the reader's language."""
    return catalogue(languages.tag()).text(case.title) if case.kind == "drill" else case.title


def zone_name(zone: ZoneInfo | None = None) -> str:
    """Such as `Berlin (UTC+1)`."""
    zone = zone or access.zone()
    offset = datetime.now(UTC).astimezone(zone).utcoffset() or timedelta(0)
    hours = offset.total_seconds() / 3600
    name = _city(zone)
    return f"{name} (UTC{hours:+g})" if hours else name if name == "UTC" else f"{name} (UTC)"


def _city(zone: ZoneInfo) -> str:
    if zone.key in {"UTC", "Etc/UTC"}:
        return "UTC"
    if languages.tag() == languages.ENGLISH:
        return zone.key.rsplit("/", 1)[-1].replace("_", " ")
    return get_timezone_location(zone, locale=languages.locale(), return_city=True)
