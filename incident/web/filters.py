"""Words for times, sizes and numbers in templates, in the reader's zone, with the zone shown."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask

from incident.clock import now
from incident.web import access


def init(app: Flask) -> None:
    """Hands the words to the templates."""
    app.jinja_env.filters.update(when=when, day=day, ago=ago, size=size, number=number)
    app.jinja_env.globals.update(zone_name=zone_name, now=now)


def when(instant: datetime | None, zone: ZoneInfo | None = None) -> str:
    """Such as `Sat 21 Nov 2026, 15:42 Berlin`; a dash for none."""
    if instant is None:
        return "—"
    zone = zone or access.zone()
    return f"{format_datetime(instant.astimezone(zone), 'EEE d MMM y, HH:mm', locale='en_GB')} {_city(zone)}"


def day(value: date | datetime | None) -> str:
    """Such as `21 Nov 2026`; instants by the reader's zone."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = value.astimezone(access.zone()).date()
    return format_date(value, "d MMM y", locale="en_GB")


def ago(instant: datetime | None) -> str:
    """Such as `5 min ago` or `in 3 d 4 h`; a dash for none."""
    if instant is None:
        return "—"
    gap = instant - now()
    words = span(abs(gap))
    return f"in {words}" if gap > timedelta(0) else f"{words} ago"


def span(gap: timedelta) -> str:
    """A length of time in its two largest units, such as `3 d 4 h`."""
    minutes = int(gap.total_seconds() // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if days < 14 and hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "a moment"


def size(count: int | None) -> str:
    """Bytes in the unit people would use, such as `1.4 MB`."""
    if count is None:
        return "—"
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: the last unit always answers")


def number(value: int | float | None) -> str:
    """With a comma every three digits; a dash for none."""
    return "—" if value is None else f"{value:,}"


def zone_name(zone: ZoneInfo | None = None) -> str:
    """Such as `Berlin (UTC+1)`."""
    zone = zone or access.zone()
    offset = datetime.now(UTC).astimezone(zone).utcoffset() or timedelta(0)
    hours = offset.total_seconds() / 3600
    return f"{_city(zone)} (UTC{hours:+g})" if hours else f"{_city(zone)} (UTC)"


def _city(zone: ZoneInfo) -> str:
    return "UTC" if zone.key in {"UTC", "Etc/UTC"} else zone.key.rsplit("/", 1)[-1].replace("_", " ")
