"""What somebody does first in an installation where nothing was ever logged: a second person, a drill, then who the organisation is."""

from dataclasses import dataclass

from flask import current_app, url_for

from incident.actions import particulars
from incident.domain.access import Role
from incident.store import incidents, users
from incident.web.access import may, me
from incident.web.languages import _


@dataclass(frozen=True)
class FirstStep:
    """One of them: what to do, why, where, and whether it was done."""

    title: str
    why: str
    href: str
    word: str
    done: bool = False


def steps() -> list[FirstStep]:
    """What this reader can do first, in the order in which it helps; nothing once any incident was logged."""
    if incidents.any_logged():
        return []
    found = [_second_person()] if may("team.invite") else []
    if may("drill.run"):
        found.append(
            FirstStep(
                _("Practise with made-up people"),
                _("A drill comes with its incident and its list of people. Nothing of it leaves this machine."),
                url_for("drills.index"),
                _("Hold a drill"),
            )
        )
    return [*found, _named()] if may("organisation.change") else found


def _named() -> FirstStep:
    return FirstStep(
        _("Say who your organisation is"),
        _("A notice in earnest bears its name and whom to ask. A drill needs neither."),
        url_for("particulars.show"),
        _("Fill it in"),
        done=bool(particulars.known(current_app.extensions["settings"]).company_name),
    )


def _second_person() -> FirstStep:
    invited = [one for one in users.holders(Role.APPROVER) if one.ref != me().ref]
    return FirstStep(
        _("Invite a second person"),
        _("A notice goes out by two people: whoever writes it cannot approve it."),
        url_for("team.index", role=str(Role.APPROVER)),
        _("Invite an approver"),
        done=bool(invited),
    )
