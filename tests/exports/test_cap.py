"""Alerts are held against the tables of CAP 1.2: every element where it may stand, as often as it may, with the words it may hold."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from incident.exports.cap import SPACE, Alert, Area, Info, moment, xml

TEXT, TIME, WORD = r"[\s\S]+", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", r"[^\s,<&]+"
LANGUAGE = r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"
MANY = 10**6

ALERT = {  # name: (fewest, most, what it holds), in the order of the standard (section 3.2.1)
    "identifier": (1, 1, WORD),
    "sender": (1, 1, WORD),
    "sent": (1, 1, TIME),
    "status": (1, 1, "Actual|Exercise|System|Test|Draft"),
    "msgType": (1, 1, "Alert|Update|Cancel|Ack|Error"),
    "source": (0, 1, TEXT),
    "scope": (1, 1, "Public|Restricted|Private"),
    "restriction": (0, 1, TEXT),
    "addresses": (0, 1, TEXT),
    "code": (0, MANY, TEXT),
    "note": (0, 1, TEXT),
    "references": (0, 1, TEXT),
    "incidents": (0, 1, TEXT),
    "info": (0, MANY, None),
}
INFO = {  # section 3.2.2
    "language": (0, 1, LANGUAGE),
    "category": (1, MANY, "Geo|Met|Safety|Security|Rescue|Fire|Health|Env|Transport|Infra|CBRNE|Other"),
    "event": (1, 1, TEXT),
    "responseType": (0, MANY, "Shelter|Evacuate|Prepare|Execute|Avoid|Monitor|Assess|AllClear|None"),
    "urgency": (1, 1, "Immediate|Expected|Future|Past|Unknown"),
    "severity": (1, 1, "Extreme|Severe|Moderate|Minor|Unknown"),
    "certainty": (1, 1, "Observed|Likely|Possible|Unlikely|Unknown"),
    "audience": (0, 1, TEXT),
    "eventCode": (0, MANY, None),
    "effective": (0, 1, TIME),
    "onset": (0, 1, TIME),
    "expires": (0, 1, TIME),
    "senderName": (0, 1, TEXT),
    "headline": (0, 1, TEXT),
    "description": (0, 1, TEXT),
    "instruction": (0, 1, TEXT),
    "web": (0, 1, r"https?://\S+"),
    "contact": (0, 1, TEXT),
    "parameter": (0, MANY, None),
    "resource": (0, MANY, None),
    "area": (0, MANY, None),
}
AREA = {  # section 3.2.4
    "areaDesc": (1, 1, TEXT),
    "polygon": (0, MANY, None),
    "circle": (0, MANY, None),
    "geocode": (0, MANY, None),
    "altitude": (0, 1, TEXT),
    "ceiling": (0, 1, TEXT),
}
CODE = {"valueName": (1, 1, TEXT), "value": (1, 1, WORD)}
NOW = datetime(2026, 3, 6, 16, 0, 0, 250_000, tzinfo=UTC)


def faults(element, table):
    """What this element breaks of its table."""
    names = [child.tag.removeprefix(f"{{{SPACE}}}") for child in element]
    found = [f"{name} is no element here" for name in names if name not in table]
    places = [list(table).index(name) for name in names if name in table]
    found += ["out of order"] if places != sorted(places) else []
    for name, (fewest, most, holds) in table.items():
        held = element.findall(f"{{{SPACE}}}{name}")
        if not fewest <= len(held) <= most:
            found.append(f"{name}: {len(held)} of them")
        found += [f"{name}: {one.text!r}" for one in held if holds and not re.fullmatch(holds, one.text or "")]
    return found


def check(document):
    root = ElementTree.fromstring(document)
    assert root.tag == f"{{{SPACE}}}alert"
    found = faults(root, ALERT)
    for info in root.findall(f"{{{SPACE}}}info"):
        found += faults(info, INFO)
        for area in info.findall(f"{{{SPACE}}}area"):
            found += faults(area, AREA)
            found += [fault for code in area.findall(f"{{{SPACE}}}geocode") for fault in faults(code, CODE)]
    return found


def an_alert(**changes):
    infos = (
        Info(
            "en", "Notice of data breach", "A headline", "What & how <it> was", "Do this", "https://n.example.org/a/en"
        ),
        Info("zh-Hans", "个人信息安全事件告知书", "标题", "发生了什么", "建议", "https://n.example.org/a/zh-Hans"),
    )
    given = {
        "identifier": "n.example.org-2026-03-06-abcdefgh",
        "sender": "privacy@example.org",
        "sender_name": "Example",
        "contact": "Data protection office, privacy@example.org",
        "sent": NOW,
        "effective": NOW,
        "expires": NOW + timedelta(days=90),
        "is_exercise": False,
        "infos": infos,
    }
    return Alert(**given | changes)


@pytest.mark.parametrize(
    "changes",
    [{}, {"expires": None}, {"is_exercise": True}, {"sender_name": "", "contact": ""}, {"sender": "n.example.org"}],
    ids=["whole", "without an end", "of a drill", "of a house without a name", "of a house without an address"],
)
def test_an_alert_breaks_nothing_of_the_standard(changes):
    assert check(xml(an_alert(**changes))) == []


def test_the_check_itself_finds_what_is_wrong():
    good = xml(an_alert()).decode()
    for wrong in (
        good.replace("<scope>Public</scope>", ""),
        good.replace("<status>Actual</status>", "<status>Real</status>"),
        good.replace("-00:00</sent>", "Z</sent>"),
        good.replace("<msgType>Alert</msgType><scope>Public</scope>", "<scope>Public</scope><msgType>Alert</msgType>"),
        good.replace("<urgency>Unknown</urgency>", "<urgency>Unknown</urgency><urgency>Past</urgency>"),
    ):
        assert wrong != good
        assert check(wrong)


def test_a_moment_has_whole_seconds_and_digits_for_its_offset():
    east = NOW.astimezone(timezone(timedelta(hours=8)))
    assert moment(east) == "2026-03-06T16:00:00-00:00"


def test_a_long_headline_is_cut_to_what_the_standard_advises():
    long = an_alert().infos[0]
    written = xml(an_alert(infos=(Info("en", "Event", "word " * 100, long.description, "", long.web),)))
    (headline,) = ElementTree.fromstring(written).iter(f"{{{SPACE}}}headline")
    assert len(headline.text) <= 160
    assert headline.text.endswith("…")


def test_text_is_only_ever_text():
    evil = Info("en", "Event", "<info>&amp;", "]]><x/>", "", "https://n.example.org/")
    root = ElementTree.fromstring(xml(an_alert(infos=(evil,))))
    (found,) = root.iter(f"{{{SPACE}}}description")
    assert found.text == "]]><x/>"


def test_an_area_has_its_name_and_its_code():
    info = replace(an_alert().infos[0], areas=(Area("Germany", "DE"), Area("Texas", "US-TX")))
    written = xml(an_alert(infos=(info,)))
    assert check(written) == []
    found = ElementTree.fromstring(written).iter(f"{{{SPACE}}}area")
    assert [[part.text for part in area.iter() if part.text] for area in found] == [
        ["Germany", "ISO 3166-1", "DE"],
        ["Texas", "ISO 3166-2", "US-TX"],
    ]
