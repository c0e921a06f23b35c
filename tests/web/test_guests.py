"""Guests: let into one incident and named parts of it, until a day; nothing else is there for them."""

import re
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient

from incident import clock
from incident.actions import guests, intake, members, privilege
from incident.domain.access import PARTS, Role, guest_may
from incident.domain.errors import Invalid
from incident.domain.guests import PART_WORDS, Stay
from incident.store import members as places
from incident.store import users
from incident.store.incidents import Incident
from incident.store.users import User
from incident.web.access import permit_of
from tests import record
from tests.builders import a_session, a_user, an_incident
from tests.full_house import House, a_full_house
from tests.web.test_access import admitted, calls

STRONG = "correct horse battery staple"


def a_guest(incident: Incident, *parts: str, days: int = 30, lead: User | None = None) -> User:
    """Somebody from outside who is let into these parts, and has signed in before."""
    by = lead or a_user(Role.LEAD)
    stay = Stay("forensics", parts, days)
    ref, _ = guests.invite(incident.ref, "guest@example.com", "Gil Guest", stay, actor=by.ref, now=clock.now())
    user = users.by_ref(ref)
    assert user is not None
    return user


@pytest.fixture
def house(app: APIFlask) -> House:
    return a_full_house(app.extensions["settings"].instance / "files")


@pytest.mark.parametrize("parts", [(part,) for part in PART_WORDS if part != "privileged"] + [tuple(PART_WORDS)])
def test_a_guest_gets_in_where_the_parts_say_and_nowhere_else(app: APIFlask, parts: tuple[str, ...]):
    """Every route of the application, on the incident of the invitation, on another one, and on none."""
    incident, other = an_incident(), an_incident()
    members.restrict(incident.ref, actor=a_user(Role.LEAD).ref, now=clock.now())
    user = a_guest(incident, *parts)
    secrets = a_session(user), ""
    wrong = []
    for ref in (incident.ref, other.ref):
        for rule, method, path in calls(app, ref):
            name = permit_of(app, rule.endpoint) or ""
            if method == "HEAD" or path.startswith("/api/") or name in ("public", "signed", "own", "member"):
                continue
            inside = "incident" in rule.arguments
            opens = inside and ref == incident.ref and guest_may(name, parts)
            wanted = "in" if opens else "404" if inside and ref == other.ref else "403"
            said = admitted(app, (rule, method, path), user, secrets)
            wrong += [] if said == wanted else [(method, path, name, said, wanted)]
    assert wrong == []


def test_no_part_gives_a_guest_anything_but_reading_and_bringing_evidence():
    given = {permit for permits in PARTS.values() for permit in permits}
    assert {permit for permit in given if not permit.endswith(".view")} == {"evidence.copy", "evidence.change"}
    assert not given & {"people.view", "people.reveal", "sending.view", "member.view", "record.view"}


def test_every_page_that_is_open_to_a_guest_can_be_shown_and_leads_nowhere_that_is_shut(
    house: House, app: APIFlask, as_
):
    """Links and buttons to what a guest may not open would be dead ends, and tell what there is."""
    user = a_guest(house.incident, *PART_WORDS)
    browser = as_(user=user)
    seen: set[str] = set()
    todo, shut = {"/": "", f"/incidents/{house.incident.ref}": ""}, []
    while todo:
        path, where = todo.popitem()
        answer = browser.get(path, follow_redirects=True)
        seen.add(path)
        if answer.status_code not in (200, 405):  # 405: the action of a form
            shut.append((path, where, answer.status_code))
        found = re.findall(r'(?:href|action)="(/(?:incidents|duties|team|record|newsrooms|desk)/[^"#]*)', answer.text)
        found = [one.replace("&amp;", "&") for one in found]
        todo |= {one: path for one in set(found) if one not in seen and "/files/" not in one}
    assert shut == [], "\n".join(map(str, shut))
    assert any("/evidence" in path for path in seen)
    assert not [path for path in seen if re.search(r"/(people|sending|team)(/|$)", path)]


def test_an_invited_guest_signs_in_with_both_factors_and_lands_on_what_is_theirs(
    app: APIFlask, as_, client: FlaskClient
):
    incident = an_incident(title="Copied database")
    page = as_(Role.LEAD).post(
        f"/incidents/{incident.ref}/team/guests",
        data={"email": "gil@example.com", "name": "Gil", "capacity": "insurer", "parts": ["facts"], "days": "10"},
    )
    link = re.search(r"http://localhost(/welcome/[\w-]+)", page.text)
    assert link
    client.get(link[1])
    answer = client.post("/welcome", data={"name": "Gil Guest", "time_zone": "UTC", "new_password": STRONG})
    assert answer.location == "/sign-in/second-factor"
    assert client.get(f"/incidents/{incident.ref}").location.startswith("/sign-in"), "one factor opens nothing"
    browser = as_(user=users.by_email("gil@example.com"))
    assert browser.get("/").location == "/account/"
    assert "Copied database" in browser.get("/account/").text
    assert browser.get(f"/incidents/{incident.ref}/facts").status_code == 200


def test_a_stay_ends_at_its_time_to_the_second_and_the_place_is_cleared(app: APIFlask, as_):
    incident = an_incident()
    user = a_guest(incident, "facts", days=1)
    until = places.one(incident.id, user.id).until
    for at, status in ((until - timedelta(seconds=1), 200), (until, 404)):
        with time_machine.travel(at, tick=False):
            assert as_(user=user).get(f"/incidents/{incident.ref}").status_code == status


def test_ending_a_stay_counts_at_once(app: APIFlask, as_, token_for):
    incident, lead = an_incident(), a_user(Role.LEAD)
    user = a_guest(incident, "facts", lead=lead)
    browser, header = as_(user=user), token_for(user=user)
    path = f"/api/v1/incidents/{incident.ref}/facts"
    assert app.test_client().get(path, headers=header).status_code == 200
    as_(user=lead).post(f"/incidents/{incident.ref}/team/{user.ref}/remove")
    assert browser.get(f"/incidents/{incident.ref}/facts").status_code == 404
    assert app.test_client().get(path, headers=header).status_code == 404


def test_inviting_again_changes_the_parts_and_leaves_one_place(app: APIFlask, as_):
    incident = an_incident()
    user = a_guest(incident, "facts", "evidence")
    a_guest(incident, "facts")
    assert as_(user=user).get(f"/incidents/{incident.ref}/evidence").status_code == 403
    assert [row.parts for row in places.of(incident.id)] == [["facts"]]


def test_a_guest_is_seen_on_the_incident_by_name_capacity_parts_and_end(app: APIFlask, as_):
    incident = an_incident()
    a_guest(incident, "evidence", "privileged")
    page = as_(Role.RESPONDER).get(f"/incidents/{incident.ref}/team/").text
    for words in ("Gil Guest", "forensic examiner", "Evidence: see it", "privileged", "until"):
        assert words in page
    line = record.lines(incident.ref)[-1]
    assert (line.verb, record.details(line)["parts"]) == ("guest.invited", ["evidence", "privileged"])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"parts": ()}, "parts"),
        ({"parts": ("privileged",)}, "parts"),
        ({"parts": ("people",)}, "parts"),
        ({"days": 0}, "days"),
        ({"days": 181}, "days"),
        ({"capacity": "friend"}, "capacity"),
        ({"email": "nobody"}, "email"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_named_at_its_field(app: APIFlask, given: dict, field: str):
    incident, lead = an_incident(), a_user(Role.LEAD)
    whole = {"capacity": "counsel", "parts": ("facts",), "days": 3} | given
    email = str(whole.pop("email", "gil@example.com"))
    before = len(record.lines())
    with pytest.raises(Invalid) as refusal:
        guests.invite(incident.ref, email, "Gil", Stay(**whole), actor=lead.ref, now=clock.now())
    assert (refusal.value.field, len(record.lines())) == (field, before)


def test_who_works_here_is_no_guest(app: APIFlask):
    incident, lead = an_incident(), a_user(Role.LEAD, email="ana@example.org")
    stay = Stay("other", ("facts",), 3)
    with pytest.raises(Invalid, match="works here"):
        guests.invite(incident.ref, "ana@example.org", "Ana", stay, actor=lead.ref, now=clock.now())


def test_programs_invite_guests_too(app: APIFlask, token_for):
    incident, call, header = an_incident(), app.test_client(), token_for(Role.PRIVACY)
    body = {"email": "gil@example.com", "name": "Gil", "capacity": "counsel", "parts": ["facts"], "days": 5}
    path = f"/api/v1/incidents/{incident.ref}"
    made = call.post(f"{path}/guests", json=body, headers=header)
    assert made.status_code == 201
    assert made.json["link"].startswith("http://localhost/welcome/")
    [member] = call.get(f"{path}/members", headers=header).json["members"]
    assert (member["capacity"], member["parts"], member["roles"]) == ("counsel", ["facts"], [])
    assert call.post(f"{path}/guests", json=body, headers=token_for(Role.RESPONDER)).status_code == 403


def test_a_guest_is_on_no_list_for_staff_and_reads_no_list_of_others(app: APIFlask, as_):
    incident, other = an_incident(title="Mine"), an_incident(title="Not mine")
    user = a_guest(incident, *PART_WORDS)
    browser = as_(user=user)
    for path in ("/incidents/", "/duties/", "/team/", "/record/", "/desk/notices/", "/newsrooms/"):
        assert (path, browser.get(path).status_code) == (path, 403)
    assert browser.get(f"/incidents/{other.ref}").status_code == 404


# ---------------------------------------------------------------- what is privileged


def test_a_guest_who_was_not_let_into_it_sees_nothing_that_is_marked(house: House, app: APIFlask, as_, token_for):
    ref, lead = house.incident.ref, house.actor
    note = intake.add_note(ref, "Counsel says: settle.", actor=lead, now=clock.now())
    marks = {
        "note": note,
        "evidence": house.things["piece"],
        "fact": "what_happened",
        "report": house.things["reports ref"],
    }
    for kind, item in marks.items():
        privilege.mark(ref, kind, str(item), basis="work_product", description="A memo", actor=lead, now=clock.now())
    outside = a_guest(house.incident, "facts", "timeline", "evidence", "reports")
    browser, header = as_(user=outside), token_for(user=outside)
    shut = [
        f"/incidents/{ref}/facts/what_happened",
        f"/incidents/{ref}/evidence/{house.things['piece']}/file",
        f"/incidents/{ref}/reports/{house.things['reports ref']}",
        f"/api/v1/incidents/{ref}/facts/what_happened",
        f"/api/v1/incidents/{ref}/evidence/{house.things['piece']}/file",
        f"/api/v1/incidents/{ref}/reports/{house.things['reports ref']}",
    ]
    open_ = ["", "/facts", "/facts.csv", "/timeline", "/evidence", "/reports/"]
    programs = ["", "/facts", "/timeline", "/evidence", "/reports"]
    for path in shut:
        answer = app.test_client().get(path, headers=header) if path.startswith("/api/") else browser.get(path)
        assert (path, answer.status_code) == (path, 404)
    texts = [browser.get(f"/incidents/{ref}{path}") for path in open_]
    texts += [app.test_client().get(f"/api/v1/incidents/{ref}{path}", headers=header) for path in programs]
    for answer in texts:
        assert answer.status_code == 200
        for word in ("Unspoken words", "Counsel says", "unspoken.log", "Unspoken authority"):
            assert (answer.request.path, word in answer.text) == (answer.request.path, False)


def test_counsel_who_was_let_into_it_sees_it(house: House, as_):
    ref = house.incident.ref
    privilege.mark(
        ref, "fact", "what_happened", basis="attorney_client", description="A memo", actor=house.actor, now=clock.now()
    )
    browser = as_(user=a_guest(house.incident, "facts", "privileged"))
    assert "Unspoken words" in browser.get(f"/incidents/{ref}/facts/what_happened").text
    assert "A memo" in browser.get(f"/incidents/{ref}/privilege/").text
