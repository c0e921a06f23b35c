"""The whole path by programs alone: log, grade, plan, people, duties, notice, approval, sending, reports, record, closing."""

import csv
import io
import re
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.journeys.installation import ROOT
from tests.journeys.world import Messy, World, messy_people, world

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

AWARE = datetime.now(UTC) - timedelta(hours=20)
FACTS = {
    "what_happened": "A backup host that could be reached from outside held a copy of the customer database.",
    "category": "data_leak",
    "systems": ["backup host"],
    "properties": ["confidentiality"],
    "malicious": True,
    "aware_at": AWARE.isoformat(),
    "discovered_at": AWARE.isoformat(),
    "determined_at": AWARE.isoformat(),
    "occurred_from": (AWARE - timedelta(days=9)).isoformat(),
    "occurred_to": (AWARE - timedelta(days=8)).isoformat(),
    "personal_data": True,
    "data_kinds": ["name", "email", "address"],
    "people_categories": ["customers"],
    "role": "controller",
    "establishments": ["DE"],
    "entity": [],
    "operator": "general",
    "exfiltration": "confirmed",
    "encryption": "none",
    "risk_to_people": "high",
    "measures_taken": "The host was closed, its disk image kept, all passwords reset.",
    "consequences": "Messages that pretend to come from us.",
}


PROMPT = re.compile(r"\[…[^\]]*\]")
WORDS = {"en": "We closed the way in and are looking into it.", "zh-Hans": "我们已关闭该途径并正在调查。"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "temp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    with world(tmp_path / "instance", mail="smtp") as made:
        made.tocsin.start()
        yield made


def test_the_whole_path_by_api(here: World, tmp_path: Path):
    team = here.add_team()
    lead, privacy, press, approver = team["lead"], team["privacy"], team["communications"], team["approver"]
    ref = team["responder"].post(
        "/api/v1/incidents",
        {"title": "Customer database copied", "facts": FACTS, "source": "log analysis", "confidence": "high"},
        201,
    )["ref"]
    path = f"/api/v1/incidents/{ref}"
    _grade_and_plan(lead, privacy, path)
    people = messy_people(2_000)
    _bring(team["responder"], path, people)
    lead.post(f"{path}/people/facts")
    duties = _decide(privacy, path)
    assert {"EU-GDPR/tell-authority", "EU-GDPR/tell-people"} <= {duty["duty"] for duty in duties}
    notice = _write(press, path)
    _submit_and_approve(press, approver, path, notice, people)
    sending = _send(press, path, notice)
    _answers_come_in(here, press, path, sending, people)
    _report(privacy, path)
    _settle(lead, privacy, team["responder"], path)
    _check_the_record(here, people, tmp_path)
    _nothing_sealed_lies_open(here, lead, path, people, tmp_path)


def _grade_and_plan(lead, privacy, path):
    privacy.post(
        f"{path}/grades/people",
        {
            "category": "simple",
            "adjust": 1,
            "ei": 1.0,
            "confidentiality": "unknown_recipients",
            "integrity": "none",
            "availability": "none",
            "malicious_intent": True,
            "note": "Addresses in unknown hands.",
            "reasons": {
                "category": "contact data",
                "adjust": "many people",
                "ei": "full names",
                "confidentiality": "copied by strangers",
                "integrity": "nothing changed",
                "availability": "nothing lost",
                "malicious_intent": "done on purpose",
            },
        },
    )
    plan = lead.post(f"{path}/plans", {"playbook": "data_leak"}, 201)
    assert plan["ref"]


def _bring(responder, path, people: Messy):
    listed = responder.upload(f"{path}/lists", "kunden.csv", people.content)["ref"]
    seen = responder.get(f"{path}/lists/{listed}/preview")
    assert seen["headers"][0] == "Kunde"
    responder.post(
        f"{path}/lists/{listed}/start",
        {"columns": seen["guesses"], "exposed": ["name", "email", "address"], "wave_label": "first list"},
        202,
    )
    done = _until(lambda: responder.get(f"{path}/lists/{listed}"), lambda row: row["state"] in {"done", "failed"})
    assert done["state"] == "done", done
    assert done["rows"] == people.rows
    assert done["taken"] + done["suspects"] + done["refused"] + done["empty"] == people.rows
    assert done["refused"] == people.refused
    assert done["empty"] == people.empty
    assert done["suspects"] == people.repeated
    refused = list(csv.reader(io.StringIO(responder.get(f"{path}/lists/{listed}/refused").decode("utf-8-sig"))))
    assert len(refused) == people.refused + 1
    for pair in _all(responder, f"{path}/people/duplicates", "pairs"):
        responder.post(f"{path}/people/duplicates/{pair['id']}", {"same": True})


def _decide(privacy, path):
    listed = privacy.get(f"{path}/duties?standing=owed&limit=100")
    privacy.post(f"{path}/duties/accept", {"seen": listed["seen"]})
    return _all(privacy, f"{path}/duties", "findings", "standing=owed&")


def _write(press, path):
    """A notice in two languages: first as offered, then with every element that a law asks for pointed out in its section."""
    notice = press.post(f"{path}/notices", {"title": "To account holders", "languages": ["en", "zh-Hans"]}, 201)["ref"]
    draft = press.get(f"{path}/notices/{notice}")
    assert draft["hurdles"], "a starter text must not go out as it is"
    press.post(f"{path}/notices/{notice}/submit", {"revision": draft["revision"]}, 422)
    missing = {need["element"]: need["section"] or "what_happened" for need in draft["needs"] if not need["met"]}
    texts = {language: _filled(text, WORDS[language]) for language, text in draft["texts"].items()}
    for text in texts.values():
        text["covers"] = {
            **text["covers"],
            **{element: section for element, section in missing.items() if element not in text["sections"]},
        }
    press.patch(
        f"{path}/notices/{notice}", {"revision": draft["revision"], "channels": ["email", "sms"], "texts": texts}
    )
    ready = press.get(f"{path}/notices/{notice}")
    assert ready["hurdles"] == []
    return notice


def _filled(text, words):
    """The starter text, with what it asks for in brackets written."""
    if isinstance(text, dict):
        return {key: _filled(value, words) for key, value in text.items()}
    return PROMPT.sub(words, text) if isinstance(text, str) else text


def _submit_and_approve(press, approver, path, notice, people):
    draft = press.get(f"{path}/notices/{notice}")
    press.post(f"{path}/notices/{notice}/submit", {"revision": draft["revision"]})
    shown = approver.get(f"{path}/notices/{notice}")
    press.post(f"{path}/notices/{notice}/approve", {"digest": shown["digest"], "people": shown["people"]}, 403)
    approver.post(f"{path}/notices/{notice}/approve", {"digest": shown["digest"], "people": shown["people"] + 1}, 422)
    urgent = {"at_any_hour": True}  # whenever this runs, it is night for somebody
    decided = {"digest": shown["digest"], "people": shown["people"], "pace": urgent}
    approver.post(f"{path}/notices/{notice}/approve", decided)
    assert shown["people"] == people.good


def _send(press, path, notice):
    return press.post(f"{path}/sendings", {"notice": notice}, 201)["ref"]


def _answers_come_in(here: World, press, path, sending, people: Messy):
    """Everybody was told once, by one channel; the signed callbacks of the texts are taken in, forged ones are not."""
    done = _until(lambda: press.get(f"{path}/sendings/{sending}"), lambda row: row["course"] == "done", seconds=120)
    mails = [
        mail for mail in here.smtp.mails if mail.to[0].lower().startswith("person")
    ]  # the team has mail of its own
    told = [mail.to[0] for mail in mails] + [text.to for text in here.twilio.texts]
    assert (len(told), len(set(told))) == (people.good, people.good)
    assert all(len(mail.to) == 1 for mail in here.smtp.mails)
    assert done["counts"]["accepted"] == done["audience"] == people.good
    assert set(here.twilio.report()) == {204}
    texts = len(here.twilio.texts)
    assert texts > 0
    assert press.get(f"{path}/sendings/{sending}")["counts"]["delivered"] == texts
    here.twilio.token = "0" * 32
    assert set(here.twilio.report()) <= {400, 401, 403}
    assert press.get(f"{path}/sendings/{sending}")["counts"]["delivered"] == texts


def _report(privacy, path):
    """The initial report to the authority: what is missing is named, written, exported and filed."""
    report = privacy.post(f"{path}/reports", {"form": "eu-gdpr-33"}, 201)["ref"]
    seen = privacy.get(f"{path}/reports/{report}")
    missing = seen["missing_answers"]
    privacy.patch(
        f"{path}/reports/{report}",
        {
            "version": seen["version"],
            "answers": {key: {"text": "See the notice.", "reason": "asked by the form"} for key in missing},
        },
    )
    pdf = privacy.call("POST", f"{path}/reports/{report}/files/pdf", {}, 0)
    assert pdf.startswith(b"%PDF-")
    assert b"%%EOF" in pdf[-1024:]
    ready = privacy.get(f"{path}/reports/{report}")
    privacy.post(
        f"{path}/reports/{report}/filing",
        {
            "version": ready["version"],
            "filed_at": datetime.now(UTC).isoformat(),
            "channel": "portal",
            "reference": "SA-2026-17",
        },
    )
    assert privacy.get(f"{path}/reports/{report}")["state"] == "filed"
    met = [
        duty
        for duty in _all(privacy, f"{path}/duties", "findings", "state=met&")
        if duty["duty"] == "EU-GDPR/tell-authority"
    ]
    assert met, "filing the report meets the duty"


def _settle(lead, privacy, responder, path):
    """What is left: steps, duties, the review; then it closes, and not before."""
    lead.post(f"{path}/closing/close", {"words": "too early"}, 409)
    for step in responder.get(f"{path}/plans/steps")["steps"]:
        if step["state"] in {"open", "taken"} and step["need"] != "no":
            responder.post(f"{path}/plans/steps/{step['ref']}/finish", {"note": "Done and seen."})
    for duty in _all(privacy, f"{path}/duties", "findings", "standing=owed&state=accepted&"):
        privacy.post(
            f"{path}/duties/{duty['ref']}/met",
            {"met_at": datetime.now(UTC).isoformat(), "note": "By the notice of today."},
        )
    for duty in _all(privacy, f"{path}/duties", "findings", "standing=open&"):
        privacy.post(f"{path}/duties/{duty['ref']}/waive", {"reason": "Counsel: does not concern us."})
    responder.post(
        f"{path}/closing/review",
        {name: "As the time line says." for name in ("went_well", "went_badly", "root_cause", "lessons", "measures")},
    )
    gates = lead.get(f"{path}/closing")
    assert gates["closable"], [gate for gate in gates["gates"] if not gate["open"]]
    lead.post(f"{path}/closing/close", {"words": "Everybody who had to be told was told."})
    assert lead.get(path)["state"] == "closed"
    responder.post(f"{path}/facts", {"facts": {"people_count": 1}}, 409)


def _check_the_record(here: World, people: Messy, folder: Path):
    """The record is whole inside and outside; one changed letter is found; the register names every delivery."""
    here.tocsin.run("audit", "verify")
    record = folder / "record.jsonl"
    here.tocsin.run("audit", "export", str(record))
    assert _offline(record).returncode == 0
    spoilt = folder / "spoilt.jsonl"
    spoilt.write_bytes(record.read_bytes().replace(b"incident.opened", b"incident.0pened", 1))
    assert _offline(spoilt).returncode == 1
    register = here.tocsin.run("register", "export").stdout
    assert len(list(csv.DictReader(io.StringIO(register)))) == people.good
    text = record.read_text()
    assert "Sample Person" not in text
    assert "@example.org" not in text


OPEN = {
    "an address of somebody": re.compile(rb"(?i)person\d+@example"),
    "a name": re.compile("Sample Person|样本".encode()),
    "a number": re.compile(rb"1202555\d{4}"),
    "a postal address": re.compile(rb"Sampletown"),
    "a fact in words": re.compile(rb"could be reached from outside"),
    "a note": re.compile(rb"Quackenbush"),
    "what was written of a grade": re.compile(rb"Addresses in unknown hands"),
}


def _nothing_sealed_lies_open(here: World, lead, path, people: Messy, folder):
    """Database, journal, files, log, temporary files and backup, all while it runs: none has what is said to be sealed."""
    lead.post(f"{path}/notes", {"text": "Called Wilhelmina Quackenbush."}, 201)
    lead.upload(f"{path}/evidence", "Quackenbush.txt", b"Wilhelmina Quackenbush", brought_by="W. Quackenbush")
    lead.post(f"{path}/people/P-1/look", {"why": "proof"})
    lead.post(f"{path}/summary/pdf")
    assert sum(bool(pattern.search(people.content)) for pattern in OPEN.values()) == 4
    here.tocsin.run("bundle", path.rsplit("/", 1)[-1], str(folder / "bundle.zip"))
    here.tocsin.run("backup", str(folder / "backup.tar"))
    kept = [path for path in here.tocsin.folder.rglob("*") if path.is_file() and path.parent.name != "keys"]
    left = [path for path in (folder / "temp").rglob("*") if path.is_file()]
    assert {"tocsin.db", "tocsin.db-wal"} <= {path.name for path in kept}
    found = {
        (file.name, what)
        for file in (*kept, *left, here.tocsin.log, folder / "backup.tar")
        for what, pattern in OPEN.items()
        if pattern.search(file.read_bytes())
    }
    assert found == set()
    with zipfile.ZipFile(
        folder / "bundle.zip"
    ) as bundle:  # what is handed out on purpose does have the words, and no person
        assert b"Quackenbush" in bundle.read("data/note.jsonl")
        everything = b"".join(bundle.read(name) for name in bundle.namelist())
    assert not OPEN["an address of somebody"].search(everything)


def _offline(record: Path):
    return subprocess.run(
        [sys.executable, "-m", "incident.domain.audit", str(record)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _until(look, ready, seconds: float = 60):
    until = time.monotonic() + seconds
    while True:
        seen = look()
        if ready(seen):
            return seen
        assert time.monotonic() < until, seen
        time.sleep(0.2)


def _all(caller, path, name, query=""):
    found, after = [], None
    while True:
        page = caller.get(f"{path}?{query}limit=100" + (f"&after={after}" if after is not None else ""))
        found += page[name]
        after = page.get("after")
        if after is None:
            return found
