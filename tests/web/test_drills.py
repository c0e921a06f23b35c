import re
from datetime import timedelta

import pytest

from incident import clock
from incident.actions import drills, members
from incident.domain import scenarios
from incident.store import drills as rows
from incident.store import incidents, users
from incident.store.db import db
from tests.builders import an_incident


def begun(page, *, scenario="lost_laptop", factor=24):
    reply = page.post(f"/drills/new/{scenario}", data={"factor": str(factor)})
    assert reply.status_code == 302, reply.get_data(as_text=True)
    return reply.location.split("/")[2]


def inject(ref, key):
    db.session.rollback()
    return next(one for one in rows.injects(incidents.by_ref(ref).id) if one.key == key)


def text(reply):
    return reply.get_data(as_text=True)


def test_a_drill_begins_in_three_clicks_from_any_page(app, as_):
    page = as_("lead")
    assert 'href="/drills/"' in text(page.get("/"))
    assert 'href="/drills/new/ransomware"' in text(page.get("/drills/"))
    reply = page.post("/drills/new/ransomware", data={"factor": "24"}, follow_redirects=True)
    assert "Facilitate this drill" in text(reply)


def test_each_scenario_can_be_looked_at_and_an_unknown_one_is_not_there(app, as_):
    page = as_("lead")
    for made in scenarios.scenarios().values():
        assert made.title in text(page.get(f"/drills/new/{made.id}"))
    assert page.get("/drills/new/nothing").status_code == 404
    assert page.post("/drills/new/nothing", data={"factor": "24"}).status_code == 404


def test_a_speed_that_is_not_on_the_list_begins_nothing(app, as_):
    reply = as_("lead").post("/drills/new/ransomware", data={"factor": "7"})
    assert reply.status_code == 422
    assert "Choose one of: 1, 6, 12, 24, 60." in text(reply)


def test_who_may_not_begin_one_sees_the_list_without_its_buttons(app, as_):
    page = as_("responder")
    assert "/drills/new/" not in text(page.get("/drills/"))
    assert page.get("/drills/new/ransomware").status_code == 403
    assert page.post("/drills/new/ransomware", data={"factor": "24"}).status_code == 403


def test_every_page_of_a_drill_says_so_and_shows_both_clocks(app, as_):
    page = as_("lead")
    ref = begun(page)
    for path in ("", "/duties/", "/facts", "/drill/", "/drill/lead", "/drill/report", "/notices/"):
        shown = text(page.get(f"/incidents/{ref}{path}"))
        assert re.search(r'class="mode mode--open"[^>]*>Drill<', shown), path
        assert "24 minutes pass in one." in shown, path
        assert "Its clock:" in shown, path


def test_pages_of_incidents_that_happened_know_nothing_of_a_drill(app, as_):
    shown = text(as_("lead").get(f"/incidents/{an_incident().ref}"))
    assert "Its clock:" not in shown
    assert not re.search(r'class="mode[^>]*>Drill<', shown)


def test_time_left_is_told_in_the_time_of_the_drill_too(app, as_):
    page = as_("lead", "privacy")
    ref = begun(page, scenario="leaked_list")
    page.post(f"/incidents/{ref}/drill/injects/{inject(ref, 'hashes_weak').ref}/let-in")
    assert re.search(r"\d+ (d|h|min)[^<]* of the drill left", text(page.get(f"/incidents/{ref}/duties/")))


def test_players_see_what_came_in_and_nothing_of_what_will(app, as_):
    lead, player = as_("lead"), as_("responder")
    ref = begun(lead)
    shown = text(player.get(f"/incidents/{ref}/drill/"))
    assert "Nothing has come in yet." in shown
    assert "The disk was not encrypted" not in shown
    lead.post(f"/incidents/{ref}/drill/injects/{inject(ref, 'works_council').ref}/let-in")
    assert "1 new thing came in" in text(player.get(f"/incidents/{ref}/drill/arrived?shown=0"))
    shown = text(player.get(f"/incidents/{ref}/drill/"))
    assert "We hear that our data are gone" in shown
    assert "Lost property" not in shown


def test_what_is_expected_is_shut_to_players_until_the_end(app, as_):
    lead, player, other = as_("lead"), as_("responder"), as_("lead")
    ref = begun(lead)
    for path in ("lead", "standing"):
        assert player.get(f"/incidents/{ref}/drill/{path}").status_code == 403
    assert "A plan is followed" not in text(other.get(f"/incidents/{ref}/drill/lead"))
    assert other.get(f"/incidents/{ref}/drill/standing").status_code == 404
    for browser, no_file in ((player, 403), (other, 409)):
        assert browser.get(f"/incidents/{ref}/drill/report").status_code == 409
        assert browser.get(f"/incidents/{ref}/drill/report/line.svg").status_code == 409
        assert browser.post(f"/incidents/{ref}/drill/report.csv").status_code == no_file
    lead.post(f"/incidents/{ref}/drill/end")
    assert "A plan is followed" in text(player.get(f"/incidents/{ref}/drill/report"))


def test_another_lead_takes_over_after_being_asked(app, as_):
    lead, other = as_("lead"), as_("lead")
    ref = begun(lead)
    assert "Take it over" in text(other.get(f"/incidents/{ref}/drill/lead"))
    assert other.post(f"/incidents/{ref}/drill/pause").status_code == 409
    other.post(f"/incidents/{ref}/drill/take-over")
    assert "A plan is followed" in text(other.get(f"/incidents/{ref}/drill/lead"))


def test_an_answer_is_given_on_the_page_and_an_empty_one_refused(app, as_):
    lead, player = as_("lead"), as_("responder")
    ref = begun(lead)
    one = inject(ref, "works_council").ref
    lead.post(f"/incidents/{ref}/drill/injects/{one}/let-in")
    reply = player.post(f"/incidents/{ref}/drill/injects/{one}/answer", data={"text": " "})
    assert (reply.status_code, "Write something here." in text(reply)) == (422, True)
    reply = player.post(f"/incidents/{ref}/drill/injects/{one}/answer", data={"text": "At nine <b>sharp</b>"})
    assert reply.status_code == 302
    assert "At nine &lt;b&gt;sharp&lt;/b&gt;" in text(player.get(f"/incidents/{ref}/drill/"))


def test_the_clock_is_stopped_and_let_go_by_a_click(app, as_):
    page = as_("lead")
    ref = begun(page)
    page.post(f"/incidents/{ref}/drill/pause")
    shown = text(page.get(f"/incidents/{ref}/drill/lead"))
    assert "paused" in shown
    assert "Let it in now" not in shown
    page.post(f"/incidents/{ref}/drill/resume")
    assert "Let it in now" in text(page.get(f"/incidents/{ref}/drill/lead"))


def test_something_of_ones_own_is_kept_or_refused_at_its_field(app, as_):
    page = as_("lead")
    ref = begun(page)
    given = {"kind": "press", "sender": "A reporter", "title": "Well?", "text": "Is it true?", "after": "soon"}
    reply = page.post(f"/incidents/{ref}/drill/injects", data=given)
    assert (reply.status_code, "Give whole minutes of the drill" in text(reply)) == (422, True)
    assert 'value="A reporter"' in text(reply)
    assert page.post(f"/incidents/{ref}/drill/injects", data=given | {"after": "0"}).status_code == 302
    assert "A reporter" in text(page.get(f"/incidents/{ref}/drill/lead"))
    assert [one.key for one in rows.injects(incidents.by_ref(ref).id) if one.written_by] == ["own_5"]


def test_the_report_has_a_picture_files_and_remarks(app, as_):
    page = as_("lead")
    ref = begun(page)
    page.post(f"/incidents/{ref}/drill/injects/{inject(ref, 'works_council').ref}/let-in")
    page.post(f"/incidents/{ref}/drill/end")
    for look, width in (("light", "wide"), ("dark", "narrow")):
        reply = page.get(f"/incidents/{ref}/drill/report/line.svg?look={look}&width={width}")
        assert (reply.status_code, reply.mimetype) == (200, "image/svg+xml")
        assert "We hear that our data are gone" in text(reply)
    assert page.get(f"/incidents/{ref}/drill/report/line.svg?look=pink").status_code == 404
    for kind, mime in {"pdf": "application/pdf", "json": "application/json", "csv": "text/csv"}.items():
        reply = page.post(f"/incidents/{ref}/drill/report.{kind}")
        assert (reply.status_code, reply.mimetype) == (200, mime)
    assert page.post(f"/incidents/{ref}/drill/report.exe").status_code == 422
    page.post(f"/incidents/{ref}/drill/remarks", data={"kind": "lesson", "text": "Ask the works council first."})
    shown = text(page.get(f"/incidents/{ref}/drill/report"))
    [act] = re.findall(r'action="([^"]+/propose)"', shown)
    page.post(act)
    assert "proposed as L-" in text(page.get(f"/incidents/{ref}/drill/report"))


def test_the_picture_speaks_the_language_of_its_reader(app, as_):
    page = as_("lead")
    ref = begun(page)
    page.post(f"/incidents/{ref}/drill/injects/{inject(ref, 'works_council').ref}/let-in")
    page.post(f"/incidents/{ref}/drill/end")
    where = f"/incidents/{ref}/drill/report/line.svg"
    assert ">came in<" in text(page.get(where))
    users.by_ref(page.ref).language = "zh-Hans"
    db.session.commit()
    chinese = text(page.get(where))
    for english in ("came in", "expected", "done", "missed", "unanswered", " min<", " h<"):
        assert english not in chinese
    assert ">期望的<" in chinese


def test_what_came_in_stands_in_the_order_in_which_it_came(app, as_):
    page = as_("lead")
    ref = begun(page)
    planned = rows.injects(incidents.by_ref(ref).id)
    last, first = planned[-1], planned[0]
    page.post(f"/incidents/{ref}/drill/injects/{last.ref}/let-in")
    page.post(f"/incidents/{ref}/drill/end")
    shown = text(page.get(f"/incidents/{ref}/drill/report")).partition("What came in</h2>")[2]
    assert shown.index(last.title) < shown.index(first.title)


def test_remarks_wait_for_the_end(app, as_):
    page = as_("lead")
    ref = begun(page)
    reply = page.post(f"/incidents/{ref}/drill/remarks", data={"kind": "helped", "text": "Calm"})
    assert reply.status_code == 409


def test_drills_are_a_table_and_restricted_ones_are_hidden(app, as_):
    page = as_("lead")
    ref = begun(page)
    page.post(f"/incidents/{ref}/drill/end")
    [header, line] = text(page.get("/drills/drills.csv")).strip().splitlines()
    assert header.startswith("incident,title,scenario,factor")
    assert line.startswith(f"{ref},A laptop left on a train,lost_laptop,24,")
    assert ref in text(page.get("/drills/"))
    members.restrict(ref, actor=page.ref, now=clock.now())
    assert ref not in text(as_("responder").get("/drills/"))


def test_an_incident_that_is_no_exercise_has_no_such_pages(app, as_):
    page = as_("lead")
    for case in (an_incident(), an_incident(kind="drill")):
        for path in ("", "lead", "report", "arrived", "standing"):
            assert page.get(f"/incidents/{case.ref}/drill/{path}").status_code == 404


def test_readiness_counts_a_drill_that_was_held_and_leads_to_the_next(app, as_):
    page = as_("lead")
    assert "The team has never drilled." in text(page.get("/readiness/"))
    ref = begun(page)
    drills.end(ref, actor=page.ref, now=clock.now() + timedelta(minutes=1))
    shown = text(page.get("/readiness/"))
    assert "The team has never drilled." not in shown
    assert 'href="/drills/"' in shown


@pytest.mark.parametrize("role", ["auditor", "approver", "communications"])
def test_every_reader_finds_the_list(app, as_, role):
    assert as_(role).get("/drills/").status_code == 200


def test_injects_of_one_drill_are_not_those_of_another(app, as_):
    page = as_("lead")
    ref, other = begun(page), begun(page)
    strange = inject(other, "works_council").ref
    assert page.post(f"/incidents/{ref}/drill/injects/{strange}/let-in").status_code == 404
    assert page.post(f"/incidents/{ref}/drill/injects/{strange}/skip").status_code == 404
    assert inject(other, "works_council").state == "waiting"
