"""What waits for a person over all incidents: approvals, roles, failed sendings, public pages, drafts; and for whom each waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from incident.domain.asks import WORDS as ASKED
from incident.domain.postings import WORDS as SIGHTS
from incident.domain.postings import Sight
from incident.store.asks import SystemAsk
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.notices import Notice
from incident.store.remedies import Remedy
from incident.store.reports import Report
from incident.web import filters
from incident.web.access import actor, may
from incident.web.dues import DueWords
from incident.web.filters import number
from incident.web.languages import _, ngettext, said

NO_TIME = DueWords("", "far", None)


@dataclass(frozen=True)
class Row:
    """One thing due or waiting, in ready words; `own` where the reader may do it."""

    due: DueWords
    title: str
    href: str
    note: str
    tag: str = ""
    tone: str = "idle"
    who: str = ""
    sign: str = ""
    own: bool = False
    rule: str = ""


def asked_roles(requests: Sequence[Any]) -> list[Row]:
    """Roles that wait for a second person's yes."""
    return [
        Row(
            NO_TIME,
            _(
                "Say yes or no: %(name)s as %(wanted)s",
                name=one.user.name or one.user.ref,
                wanted=", ".join(one.wanted),
            ),
            url_for("rules.index"),
            _("A role is gained by two people"),
            _("role"),
            "soon",
            own=True,
        )
        for one in requests
    ]


def reported(count: int) -> list[Row]:
    """Reports from outside that somebody has to look at, as one line."""
    if not count:
        return []
    title = ngettext("%(n)s report from outside", "%(n)s reports from outside", count, n=number(count))
    href = url_for("tips.index")
    own = may("tip.triage")
    return [Row(NO_TIME, title, href, _("Clocks may run from when one came"), _("reported"), "soon", own=own)]


def notices(found: Sequence[Notice], incidents: dict[int, Incident]) -> list[Row]:
    """Notices that were submitted: for whoever may say yes to them, and has not written on them."""
    return [_notice(notice, incidents[notice.incident_id]) for notice in found]


def _notice(notice: Notice, incident: Incident) -> Row:
    own = may("notice.approve") and actor() not in {notice.drafter, *notice.editors}
    asked = _("Approve") if own else _("Waits for approval:")
    href = url_for("notices.show", incident=incident.ref, ref=notice.ref)
    return Row(NO_TIME, f"{asked} {notice.title}", href, _named(incident), _("approval"), "soon", own=own)


def sendings(found: Sequence[Dispatch], incidents: dict[int, Incident]) -> list[Row]:
    """Sendings that paused, or in which people were not certainly reached."""
    return [_sending(sending, incidents[sending.incident_id]) for sending in found]


def _sending(sending: Dispatch, incident: Incident) -> Row:
    paused = sending.course == "paused"
    words: tuple[tuple[int, Callable[[str], str]], ...] = (
        (sending.in_doubt, lambda count: _("%(count)s in doubt", count=count)),
        (sending.failed, lambda count: _("%(count)s failed", count=count)),
        (sending.bounced, lambda count: _("%(count)s bounced", count=count)),
        (sending.unreached, lambda count: _("%(count)s reached by no channel", count=count)),
    )
    said = [_("Sending paused, %(waiting)s wait", waiting=number(sending.waiting))] if paused else []
    said += [say(number(count)) for count, say in words if count]
    tag = _("paused") if paused else _("in doubt") if sending.in_doubt else _("unreached")
    tone = "soon" if paused else "open" if sending.in_doubt else "late"
    href = url_for("deliveries.index", incident=incident.ref)
    return Row(NO_TIME, ", ".join(said), href, _named(incident), tag, tone, own=may("delivery.care"))


def pages(found: Sequence[tuple[int, str, str]], incidents: dict[int, Incident]) -> list[Row]:
    """Public pages that were not as approved at the last look."""
    return [
        Row(
            NO_TIME,
            _("The public page %(slug)s %(sights)s", slug=slug, sights=SIGHTS[Sight(sight)]),
            url_for("public_tasks.show", incident=incidents[number_].ref),
            _named(incidents[number_]),
            _("page"),
            "late",
            own=may("announcement.take_down"),
        )
        for number_, slug, sight in found
    ]


def remedies(found: Sequence[Remedy], incidents: dict[int, Incident]) -> list[Row]:
    """Remedies that can soon be redeemed no more, or are over, while people have codes that they did not use."""
    return [
        Row(
            NO_TIME,
            _("%(name)s can be redeemed until %(until)s", name=row.name, until=row.until),
            url_for("remedies.index", incident=incidents[row.incident_id].ref, _anchor=row.ref),
            _named(incidents[row.incident_id]),
            ngettext(
                "%(n)s code unused", "%(n)s codes unused", row.given - row.redeemed, n=number(row.given - row.redeemed)
            ),
            "soon",
            own=may("remedy.change"),
        )
        for row in found
    ]


def asks(found: Sequence[SystemAsk], incidents: dict[int, Incident]) -> list[Row]:
    """What own systems were asked to do, should have done by now, and did not say so."""
    return [
        Row(
            NO_TIME,
            _("A system of yours was asked and is late: %(kind)s", kind=said(ASKED[one.kind])),
            url_for("asks.show", incident=incidents[one.incident_id].ref, ref=one.ref),
            _named(incidents[one.incident_id]),
            _("late"),
            "late",
            own=may("ask.make"),
        )
        for one in found
    ]


def reports(found: Sequence[Report], incidents: dict[int, Incident]) -> list[Row]:
    """Reports that were begun and not filed."""
    return [
        Row(
            NO_TIME,
            _("Finish the report to %(authority)s", authority=report.authority),
            url_for("reports.show", incident=incidents[report.incident_id].ref, ref=report.ref),
            _named(incidents[report.incident_id]),
            _("%(missing)s missing", missing=report.missing) if report.missing else _("ready"),
            "idle",
            own=may("report.prepare"),
        )
        for report in found
    ]


def _named(incident: Incident) -> str:
    return f"{incident.ref} {filters.titled(incident)}"
