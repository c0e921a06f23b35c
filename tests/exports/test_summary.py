import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

from pypdf import PdfReader

from incident.domain.dossier import (
    Company,
    Dossier,
    DutyLine,
    EvidenceLine,
    FactNow,
    GradeLine,
    NoticeLine,
    RemedyLine,
    ReportLine,
    ReviewLine,
    Seal,
    StepLine,
)
from incident.domain.enquiries import Figures
from incident.domain.facts import UNKNOWN
from incident.exports import summary
from incident.exports.json import json_bytes
from incident.exports.pdf import pdf

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
TOLD = Dossier(
    "INC-2026-0001",
    "Copied database",
    "incident",
    "data_leak",
    "closed",
    NOON,
    NOON,
    closed_at=NOON,
    company=Company("Example Ltd"),
    people_total=2_114,
    facts={"people_count": FactNow(2_114, NOON, "import", "high"), "cause": FactNow(UNKNOWN, NOON)},
    grades=(GradeLine("people", "high", "3.5", ("Financial data",)),),
    duties=(
        DutyLine(
            "EU-GDPR/tell-authority",
            "Report to the supervisory authority",
            "GDPR",
            "the authority",
            "Art. 33(1)",
            "met",
            met_at=NOON,
            late_seconds=60,
            reference="CNIL-17",
        ),
        DutyLine("US-CA/tell-people", "Tell the people", "California", "people", "1798.82", "open"),
    ),
    notices=(
        NoticeLine(
            "N-1",
            "Customers",
            "sent",
            10,
            8,
            NOON,
            ("email",),
            ("en",),
            0,
            {"delivered": 8, "in_doubt": 1, "failed": 1},
        ),
        NoticeLine("N-2", "Staff", "draft"),
    ),
    reports=(ReportLine("R-1", "GDPR", "Initial", "CNIL", NOON, "CNIL-17"),),
    steps=(StepLine("Close the host", "stop_loss", "done", NOON, True),),
    evidence=(EvidenceLine("EV-1", "Image", "ab" * 32, 1_024, NOON),),
    review=(ReviewLine("Lessons", "Know your hosts."), ReviewLine("What went well", "")),
    seal=Seal(412, "cm9vdA==", NOON),
)


def table(heading: str, told: Dossier = TOLD) -> list[tuple[str, ...]]:
    section = next(one for one in summary.document(told).sections if one.heading == heading)
    return list(section.tables[0].rows)


def test_a_late_duty_says_so_with_its_reference_and_an_open_one_is_not_called_met() -> None:
    assert [row[3] for row in table("What was owed")] == ["met 6 Mar 2026, 12:00 UTC (late), reference CNIL-17", "open"]


def test_who_was_not_reached_stands_beside_who_was() -> None:
    assert [row[2:] for row in table("People told")] == [("10", "8", "in doubt 1, failed 1"), ("0", "0", "")]
    assert table("People told")[1][1] == "not sent (draft)"


def test_an_unknown_fact_is_said_to_be_unknown() -> None:
    assert ("Cause, as far as known", "not known yet") in [row[:2] for row in table("What is known")]


def test_what_was_not_written_in_the_review_is_left_out() -> None:
    review = next(one for one in summary.document(TOLD).sections if one.heading == "Review")
    assert [item.label for item in review.items] == ["Lessons"]


def test_what_people_asked_and_were_offered_stands_in_figures_and_in_the_data() -> None:
    asked = Figures(all=12, open=2, late=1, answered=10, in_time=9, requests=3, median_hours=26.5)
    offered = RemedyLine("RM-1", "Credit monitoring", "Sample Bureau", 24, "2027-03-01", 2_000, 310)
    told = replace(TOLD, enquiries=asked, remedies=(offered,))
    [row] = table("What people asked", told)
    assert row == ("12", "2, 1 late", "10", "9", "3", "26.5 hours")
    [row] = table("What was offered", told)
    assert row == ("Credit monitoring", "Sample Bureau", "24 months", "2027-03-01", "2,000", "310")
    back = summary.data(told)
    assert (back["enquiries"]["in_time"], back["remedies"][0]["redeemed"]) == (9, 310)


def test_an_empty_incident_has_no_empty_sections() -> None:
    bare = Dossier("INC-2026-0002", "Nothing yet", "drill", "", "open", NOON, NOON)
    document = summary.document(bare)
    assert document.sections == ()
    assert "Drill: nothing in it happened" in document.subtitle
    assert dict(document.particulars)["Record"] == "no checkpoint signed yet"


def test_the_printed_summary_names_the_checkpoint_and_its_data_can_be_read_back() -> None:
    made = pdf(summary.document(TOLD))
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    assert "checkpoint of 412 lines" in text
    back = json.loads(json_bytes(summary.data(TOLD)))
    assert (back["record"]["size"], back["facts"]["cause"]["value"], back["duties"][0]["met_at"]) == (
        412,
        None,
        "2026-03-06T12:00:00Z",
    )


def test_a_digest_is_broken_over_lines_instead_of_running_off_the_page() -> None:
    pages = PdfReader(io.BytesIO(pdf(summary.document(TOLD)))).pages
    parts = re.findall("(?:ab){4,}", "\n".join(page.extract_text() for page in pages))
    assert "".join(parts) == "ab" * 32
    assert max(map(len, parts)) <= 48
