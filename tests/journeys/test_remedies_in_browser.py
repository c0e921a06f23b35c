"""What is offered to people, by keyboard alone and in both languages: set up, held against a law, its codes brought, sent, redeemed, over.

Beside it the organisation's own system: asked to reset passwords, and what became of it.
"""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from incident import clock, work
from incident.domain.access import Role
from incident.domain.lawbook import elements
from incident.domain.notices import SECTIONS
from incident.store import incidents
from incident.store import remedies as rows
from incident.store.db import db
from notifiers.webhook import signature
from tests.actions.test_webhooks import an_endpoint
from tests.builders import a_notice, a_text, an_incident
from tests.fakes.smtp import FakeSmtp
from tests.fakes.webhooks import FakeReceiver
from tests.journeys.keyboard import brought, chosen, enter_on, picked, to, typed, unfolded
from tests.journeys.reader import Reader
from tests.journeys.served import Served
from tests.journeys.world import COMPANY
from tests.remedies import COPIED, some_people

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

AUTHOR = "U-0AUTHOR0"
PENNSYLVANIA = COPIED | {"residents": {"US-PA": 3}, "discovered_at": "2026-11-20T10:00:00Z"}
TEXT = a_text(covers=dict.fromkeys([word for word in elements() if word not in SECTIONS], "what_happened"))
TEXT.sections["what_we_offer"] = "{{ remedy.name }}, {{ remedy.months }} months: {{ remedy.code }}. {{ remedy.how }}"


class Offering(Served):
    """An installation that sends real mail to a mail server of ours and asks a system of ours; one person a language."""

    def __init__(self, folder: Path, mail: FakeSmtp, system: FakeReceiver) -> None:
        super().__init__(folder, Role.LEAD, smtp_url=mail.url, smtp_from="notice@example.org", **COMPANY)
        self.mail, self.system = mail, system
        with self.app.app_context():
            self.endpoint = an_endpoint(system, self.app.extensions["webhooks"], "ask.*")
            db.session.remove()

    def breach(self) -> tuple[str, str]:
        """An incident with three people in Pennsylvania, and a notice to them that is still written; both references."""
        with self.app.app_context():
            incident = an_incident(facts=PENNSYLVANIA)
            mail = f"{incident.ref.lower()}-{{number}}@example.org"
            some_people(incident, 3, now=clock.now(), email=mail, place="US-PA", exposed="ssn", reference="C-{number}")
            notice = a_notice(incident, author=AUTHOR, channels=("email",), texts=(TEXT,))
            db.session.remove()
            return incident.ref, notice

    def work(self) -> None:
        """What the scheduler does."""
        with self.app.app_context():
            work.once()
            db.session.remove()

    def codes_mailed(self, incident: str) -> dict[str, set[str]]:
        """Which codes stand in the mails to each person of this incident."""
        found: dict[str, set[str]] = {}
        for mail in self.mail.mails:
            [to_] = mail.to
            if to_.startswith(incident.lower()):
                body = mail.parsed.get_body(("plain",))
                assert body is not None
                found.setdefault(to_, set()).update(re.findall(r"PA-\d{4}", body.get_content()))
        return found

    def answer(self, ask: str, **counts: int) -> int:
        """The system says what became of batch 1, signed by its secret; the status of our answer."""
        body = json.dumps({"ask": ask, "batch": 1, **counts}).encode()
        stamp = int(time.time())
        signed = signature(self.system.secrets[0], "msg_1", stamp, body)
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": signed}
        headers["content-type"] = "application/json"
        with urlopen(Request(f"{self.url}/hooks/asks", body, headers, method="POST"), timeout=20) as got:
            return int(got.status)


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offering]:
    with FakeSmtp() as mail, FakeReceiver() as system:
        made = Offering(tmp_path_factory.mktemp("offering"), mail, system)
        yield made
        made.server.close()


@pytest.mark.parametrize(("language", "width", "look"), [("en", 1440, "dark"), ("zh-Hans", 390, "light")])
def test_remedies_by_keyboard_alone(offering: Offering, browser: Browser, language: str, width: int, look: str):
    reader = Reader(offering, browser, language, width, look)
    incident, notice = offering.breach()
    _hold_against_the_law(reader, incident)
    _bring_too_few_and_be_refused(reader, incident, notice)
    codes = _tell(offering, reader, incident, notice)
    _note_what_was_redeemed(reader, incident, codes)
    _watch_it_end(offering, reader, incident)
    assert reader.wrong == []


def _hold_against_the_law(reader: Reader, incident: str) -> None:
    """Six months are set up where twelve are owed: missing until it is made longer."""
    page = reader.go(f"/incidents/{incident}/remedies/")
    expect(page.locator("#laws")).to_contain_text("US-PA")
    expect(page.locator("#laws .tag--late")).to_have_text(reader.said("missing"))
    reader.looks("remedies-empty")
    enter_on(page, "main a[href$='/remedies/new']")
    typed(page, "#name", "Credit monitoring")
    chosen(page, "[name=services][value=credit_monitoring]")
    typed(page, "#months", "6")
    typed(page, "#provider", "Sample Bureau")
    typed(page, "#how-en", "Type the code on the provider's page.")
    enter_on(page, "main form button.btn-primary")
    expect(page.get_by_role("status")).to_contain_text(reader.said("It is set up. Texts can name it from now on."))
    expect(page.locator("#laws .tag--late")).to_have_text(reader.said("missing"))
    enter_on(page, "main a[href$='/edit']")
    page.locator("#months").fill("")
    typed(page, "#months", "12")
    enter_on(page, "main form button.btn-primary")
    expect(page.locator("#laws .tag--met")).to_have_text(reader.said("offered"))


def _bring_too_few_and_be_refused(reader: Reader, incident: str, notice: str) -> None:
    page = reader.page
    brought(page, "input[id^=codes-]", "codes.csv", "PA-0001\nPA-0002\n")
    enter_on(page, "form[action$='/codes'] button")
    expect(page.locator("dl.facts").first).to_contain_text("2")
    reader.go(f"/incidents/{incident}/notices/{notice}")
    enter_on(page, "button[name=then][value=submit]")
    expect(page.locator("main")).to_contain_text(re.compile(r"1 more code|还(差|需要|缺)"))
    reader.go(f"/incidents/{incident}/remedies/")
    unfolded(page, "details:has(input[id^=codes-]) > summary")
    brought(page, "input[id^=codes-]", "more.csv", "PA-0002\nPA-0003\nPA-0004\n")
    enter_on(page, "form[action$='/codes'] button")
    expect(page.get_by_role("status")).to_contain_text("1")
    reader.looks("remedies-codes")


def _tell(offering: Offering, reader: Reader, incident: str, notice: str) -> list[str]:
    """Submitted once there are enough, approved by a second person at their own screen, sent; each mail holds one code."""
    page = reader.go(f"/incidents/{incident}/notices/{notice}")
    enter_on(page, "button[name=then][value=submit]")
    expect(page.locator("button[name=then][value=submit]")).to_have_count(0)
    second = Reader(reader.here, reader.browser, reader.language, 1440, "light", Role.APPROVER)
    there = second.go(f"/incidents/{incident}/notices/{notice}")
    typed(there, "#people", "3")
    enter_on(there, "form[action$='/approve'] button")
    expect(there.locator("form[action$='/approve']")).to_have_count(0)
    reader.go(f"/incidents/{incident}/sending/new/{notice}")
    typed(page, "#people", "3")
    enter_on(page, "main form button.btn-primary")
    offering.work()
    codes = offering.codes_mailed(incident)
    assert len(codes) == 3
    assert all(len(mine) == 1 for mine in codes.values())
    assert len(set.union(*codes.values())) == 3
    return sorted(set.union(*codes.values()))


def _note_what_was_redeemed(reader: Reader, incident: str, codes: list[str]) -> None:
    page = reader.go(f"/incidents/{incident}/remedies/")
    assert not any(code in page.content() for code in codes)
    unfolded(page, "details:has(input[id^=used-]) > summary")
    typed(page, "input[id^=code-]", codes[0].lower())
    enter_on(page, "form[action$='/redeemed'] button")
    expect(page.locator("dl.facts").first).to_contain_text("33 %")
    reader.looks("remedies-filled")
    enter_on(page, "main a[href*='which=given']")
    expect(page.locator(".entry .tag--met")).to_have_count(1)
    expect(page.locator(".entry .tag--idle")).to_have_count(2)
    assert not any(code in page.content() for code in codes)
    reader.looks("remedies-who")


def _watch_it_end(offering: Offering, reader: Reader, incident: str) -> None:
    """The last day is near, and goes by."""
    soon = (datetime.now(UTC) + timedelta(days=9)).date()
    page = reader.go(f"/incidents/{incident}/remedies/")
    enter_on(page, "main a[href$='/edit']")
    to(page, "#until")
    page.locator("#until").fill(soon.isoformat())
    enter_on(page, "main form button.btn-primary")
    expect(page.locator("main .tag--soon").first).to_have_text(reader.said("ends soon"))
    expect(reader.go("/").locator("main")).to_contain_text("Credit monitoring")
    with offering.app.app_context():
        found = incidents.by_ref(incident)
        assert found is not None
        [row] = rows.of_incident(found.id, locked=True)
        row.until = (datetime.now(UTC) - timedelta(days=1)).date()
        db.session.commit()
        db.session.remove()
    page = reader.go(f"/incidents/{incident}/remedies/")
    expect(page.locator("main .block .tag--late").first).to_have_text(reader.said("over"))
    reader.looks("remedies-over")


@pytest.mark.parametrize(("language", "width", "look"), [("en", 390, "dark"), ("zh-Hans", 1440, "light")])
def test_own_systems_are_asked_by_keyboard_alone(
    offering: Offering, browser: Browser, language: str, width: int, look: str
):
    reader = Reader(offering, browser, language, width, look)
    incident, _ = offering.breach()
    page = reader.go(f"/incidents/{incident}/asks/")
    reader.looks("asks-empty")
    picked(page, "#kind", "reset_passwords")
    picked(page, "#endpoint", offering.endpoint)
    chosen(page, "main form input[type=checkbox][required]")
    enter_on(page, "main form button.btn-primary")
    ask = page.url.rstrip("/").rsplit("/", 1)[1]
    offering.work()
    [taken] = [one for _, one in offering.system.taken if one["data"].get("ask") == ask]
    assert taken["type"] == "asked.reset_passwords"
    assert taken["data"]["accounts"] == ["C-1", "C-2", "C-3"]
    assert "@" not in json.dumps(taken)
    assert offering.answer(ask, done=1, failed=2) == 204
    page.reload()
    expect(page.locator("#batch-1")).to_contain_text("2")
    expect(page.locator("#batch-1 .tag--met")).to_have_text(reader.said("taken"))
    unfolded(page, "#batch-1 summary")
    for name, count in (("done", "3"), ("failed", "0")):
        page.locator(f"#{name}-1").fill("")
        typed(page, f"#{name}-1", count)
    reader.looks("asks-told")
    enter_on(page, "#batch-1 form button")
    page = reader.go(f"/incidents/{incident}/asks/")
    expect(page.locator("main .entry .tag--met").first).to_have_text(reader.said("done"))
    reader.looks("asks-done")
    assert reader.wrong == []
