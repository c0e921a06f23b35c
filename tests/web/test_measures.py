"""The measures: figures of what the reader may see, tables behind the plots, and the page for a board."""

import csv
import io
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import event, text

from incident import clock
from incident.actions import members, obligations
from incident.domain.access import Role
from incident.exports import plots
from incident.store import courses
from incident.store import obligations as findings
from incident.store.db import db
from tests.builders import a_user, an_incident

TABLES = ("months", "spans", "laws", "channels")
DUTY = "EU-GDPR/tell-authority"


@pytest.fixture
def measured(app):
    """An incident contained after 30 hours, its report to the authority made a day after its time."""
    aware = clock.now().replace(microsecond=0) - timedelta(days=6)
    facts = {
        "personal_data": True, "role": "controller", "establishments": ["DE"], "residents": {"DE": 10}, "risk_to_people": "high",
        "category": "data_leak", "aware_at": aware.isoformat(), "contained_at": (aware + timedelta(hours=30)).isoformat(),
    }  # fmt: skip
    incident = an_incident(facts=facts, now=clock.now())
    report = findings.current(incident.id)[DUTY]
    met = aware + timedelta(hours=96)
    obligations.mark_met(incident.ref, report.ref, met_at=met, note="", actor="U-0TEST000", now=clock.now())
    return incident


def test_figures_come_from_what_is_known(measured, client, token_for):
    told = client.get("/api/v1/measures/", headers=token_for(Role.LEAD)).json
    assert told["incidents"] == 1
    assert told["spans"]["contain"]["median_seconds"] == 30 * 3600
    assert told["spans"]["report"]["median_seconds"] == 96 * 3600
    assert told["spans"]["tell"] == {
        "counted": 0, "unknown": 1, "median_seconds": None, "nine_in_ten_seconds": None,
    }  # fmt: skip
    gdpr = next(law for law in told["laws"] if law["law"] == "EU-GDPR")
    assert (gdpr["in_time"], gdpr["late"], gdpr["median_seconds"]) == (0, 1, 96 * 3600)
    assert gdpr["spans"]["report"] == {
        "counted": 1, "unknown": 0, "median_seconds": 96 * 3600, "nine_in_ten_seconds": 96 * 3600,
    }  # fmt: skip
    assert gdpr["spans"]["decide"]["median_seconds"] == pytest.approx(6 * 86400, abs=60)
    assert (gdpr["spans"]["tell"]["counted"], gdpr["spans"]["tell"]["unknown"]) == (0, 1)
    assert sum(month["opened"] for month in told["months"]) == 1


def test_the_page_shows_them_with_a_table_beside_every_plot(measured, as_):
    page = as_(Role.AUDITOR).get("/measures/").text
    assert "1 d 6 h" in page
    for name in TABLES[:3]:
        assert f"/measures/{name}.svg?look=light" in page
        assert f"/measures/{name}.csv" in page


def test_each_law_says_how_long_it_took_and_of_how_many_incidents(measured, as_):
    browser = as_(Role.LEAD)
    row = next(part for part in browser.get("/measures/").text.split("<tr>") if "law=EU-GDPR" in part)
    cells = dict(re.findall(r'data-name="([^"]+)">(.*?)</td>', row))
    assert cells["To report"] == '4 d <small class="nowrap">1 of 1</small>'
    assert cells["To tell people"] == '— <small class="nowrap">0 of 1</small>'
    lines = list(csv.DictReader(io.StringIO(browser.get("/measures/laws.csv").text.lstrip("\ufeff"))))
    gdpr = next(line for line in lines if line["law"] == "EU-GDPR")
    assert (gdpr["median seconds to report"], gdpr["counted to report"], gdpr["not known to report"]) == (
        str(96 * 3600), "1", "0",
    )  # fmt: skip
    assert (gdpr["median seconds to tell"], gdpr["counted to tell"], gdpr["not known to tell"]) == ("", "0", "1")


def test_a_law_that_is_owed_and_not_yet_judged_has_its_row_and_no_plot(as_):
    aware = clock.now() - timedelta(hours=1)
    an_incident(
        facts={"personal_data": True, "role": "controller", "establishments": ["DE"], "residents": {"DE": 10},
               "risk_to_people": "risk", "category": "data_leak", "aware_at": aware.isoformat()}, now=clock.now(),
    )  # fmt: skip
    page = as_(Role.LEAD).get("/measures/").text
    row = next(part for part in page.split("<tr>") if "law=EU-GDPR" in part)
    assert "0 of 1" in row
    assert "none owed" in row, "this risk wants no word to people"
    assert "/measures/laws.svg" not in page


def test_a_near_miss_is_measured_apart_and_a_drill_never(as_):
    an_incident(kind="drill")
    an_incident(kind="near_miss")
    browser = as_(Role.LEAD)
    assert "Nothing to measure in this time." in browser.get("/measures/").text
    assert "Nothing to measure in this time." not in browser.get("/measures/?kind=near_miss").text


def test_nobody_learns_of_a_restricted_incident_by_its_figures(measured, as_):
    members.restrict(measured.ref, actor="U-0TEST000", now=clock.now())
    outsider = as_(Role.LEAD)
    assert "Nothing to measure in this time." in outsider.get("/measures/").text
    assert measured.ref not in outsider.get("/measures/spans.csv").text
    assert measured.ref in as_(Role.AUDITOR).get("/measures/spans.csv").text


@pytest.mark.parametrize("plot", TABLES)
@pytest.mark.parametrize("more", ["", "?look=dark&width=narrow&months=60&kind=all"])
def test_every_plot_is_a_picture_that_asks_nobody_and_runs_nothing(measured, as_, plot, more):
    answer = as_(Role.LEAD).get(f"/measures/{plot}.svg{more}")
    assert answer.mimetype == "image/svg+xml"
    drawn = ElementTree.fromstring(answer.data)
    assert not [part for part in drawn.iter() if str(part.tag).endswith(("script", "foreignObject", "image"))]
    hrefs = [value for part in drawn.iter() for name, value in part.attrib.items() if name.endswith("href")]
    assert not [href for href in hrefs if not href.startswith("#")]


@pytest.mark.parametrize("table", TABLES)
def test_every_plot_has_its_table(measured, as_, table):
    lines = as_(Role.LEAD).get(f"/measures/{table}.csv").text.splitlines()
    assert len(lines[0].split(",")) > 2


@pytest.mark.parametrize(
    ("address", "status"),
    [("?months=5", 422), ("?kind=drill", 422), ("none.svg", 404), ("months.svg?look=loud", 404), ("none.csv", 404)],
)
def test_a_wish_that_cannot_be_met_is_said_so(as_, address, status):
    assert as_(Role.LEAD).get(f"/measures/{address}").status_code == status


def test_the_board_gets_one_page_and_the_record_its_digest(measured, as_):
    answer = as_(Role.LEAD).post("/measures/board.pdf", data={"months": "6"})
    made = PdfReader(io.BytesIO(answer.data))
    assert len(made.pages) == 1
    said = " ".join(made.pages[0].extract_text().split())
    assert "Duties kept, by law" in said
    assert "of 1 incidents: to detect 1, to tell people 1." in said
    line = db.session.scalar(text("SELECT details FROM audit_line WHERE verb = 'measures.exported'"))
    assert '"months":6' in str(line).replace(" ", "")


def test_the_page_takes_no_more_queries_for_more_incidents(measured, as_):
    browser = as_(Role.LEAD)
    courses._MEMORIES.pop(db.engine, None)
    browser.get("/measures/")
    an_incident(facts={"aware_at": "2026-11-01T08:00:00Z"})
    before = _queries(browser)
    for _ in range(3):
        an_incident(facts={"aware_at": "2026-11-01T08:00:00Z"})
    assert _queries(browser) == before <= 16


def _queries(browser: FlaskClient) -> int:
    seen: list[str] = []

    def note(*args):
        seen.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    browser.get("/measures/")
    event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_what_is_counted_has_no_halves_at_the_side_of_its_plot(measured, as_):
    drawn = ElementTree.fromstring(as_(Role.LEAD).get("/measures/months.svg").data)
    words = {node.text for node in drawn.iter("{http://www.w3.org/2000/svg}text") if node.text}
    assert {"0", "1"} <= words
    assert not [word for word in words if word.startswith("0.")]


def test_lying_bars_of_a_few_have_no_halves_either_and_no_name_runs_into_the_next():
    named = [plots.Series(f"how this part is called {part}", "met", [1, 0]) for part in range(5)]
    drawn = ElementTree.fromstring(plots.stacks(["one", "two"], named, look="light"))
    words = {node.text for node in drawn.iter("{http://www.w3.org/2000/svg}text") if node.text}
    assert {"0", "1", "5"} <= words
    assert not [word for word in words if word.startswith("0.")]
    legend = [node for node in drawn.iter() if "legend" in (node.get("class") or "").split()]
    heights = {node.find("{*}rect").get("y") for node in legend}
    assert len(legend) == 5
    assert len(heights) == 2


@pytest.mark.parametrize("width", [plots.WIDE, plots.NARROW])
@pytest.mark.parametrize("many", [2, 3, 4, 5, 6])
def test_no_name_of_a_series_stands_below_the_picture_nor_makes_its_bars_thin(width, many):
    named = [plots.Series(f"part {part}", "met", [1, 0]) for part in range(many)]
    drawn = ElementTree.fromstring(plots.stacks(["one", "two"], named, look="light", width=width))
    height = float(drawn.get("viewBox").split()[-1])
    top = next(_moved(node) for node in drawn.iter() if node.get("class") == "legends")
    legend = [node for node in drawn.iter() if "legend" in (node.get("class") or "").split()]
    assert max(top + float(node.find("{*}rect").get("y")) + 10 for node in legend) <= height
    bars = [node for node in drawn.iter() if "rect" in (node.get("class") or "").split()]
    assert min(float(node.get("height")) for node in bars) > 25


def _moved(node):
    """How far down a part of a picture begins."""
    return float(re.search(r", ([\d.]+)\)", node.get("transform")).group(1))


def test_figures_keep_their_names_where_a_row_becomes_a_card(measured, as_):
    page = as_(Role.LEAD).get("/measures/").text
    for table in page.split('<table class="table table--cards">')[1:]:
        assert '<td class="n">' not in table.split("</table>")[0]


def test_plots_speak_the_language_of_their_reader(measured, as_):
    reader = a_user(Role.LEAD)
    reader.language = "zh-Hans"
    db.session.commit()
    drawn = ElementTree.fromstring(as_(user=reader).get("/measures/months.svg").data)
    words = {node.text for node in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert "已结案" in words
    assert "closed" not in words
