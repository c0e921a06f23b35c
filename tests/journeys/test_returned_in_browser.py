"""Mail comes back, by scan and by list; the ladder goes on; who is left gives a new address on the public page and is told there, once."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from incident import clock, work
from incident.actions import checks, dispatch, letters, people
from incident.actions.letters import Paper
from incident.domain import check_words
from incident.domain.access import Role
from incident.domain.deliveries import Pace
from incident.store import letters as letter_rows
from incident.store.db import db
from tests.builders import a_notice, an_incident
from tests.fakes.smtp import FakeSmtp
from tests.journeys import axe
from tests.journeys.browser import Window, press
from tests.journeys.keyboard import brought, enter_on, picked, typed
from tests.journeys.served import Served
from tests.journeys.world import COMPANY

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

AUTHOR = "U-0AUTHOR0"
SUBJECT = "Notice of data breach"


class Posted(Served):
    """An installation in which three letters were posted; one of the three people has an e-mail address too."""

    def __init__(self, folder: Path, mail: FakeSmtp) -> None:
        super().__init__(
            folder, Role.LEAD, smtp_url=mail.url, smtp_from="notice@example.org", letters="din-5008-b", **COMPANY
        )
        self.mail = mail
        begun = clock.now() - timedelta(minutes=5)
        with self.app.app_context():
            incident = an_incident(now=begun)
            for number in (1, 2, 3):
                given = {"name": f"Person {number}", "address": f"Example Street {number}\n10117 Berlin", "place": "DE"}
                given |= {"exposed": "email"} | ({"email": "second@example.org"} if number == 2 else {})
                people.add(incident.ref, given, actor=AUTHOR, now=begun)
            notice = a_notice(incident, channels=("letter", "email"), stage="approved", now=begun)
            pace = Pace(at_any_hour=True)
            sending = dispatch.start(incident.ref, notice, only_sandbox=False, pace=pace, actor=AUTHOR, now=begun)
            work.once()
            batch = letters.ask(incident.ref, sending, most=10, actor=AUTHOR, now=begun)
            files, paper = self.app.extensions["settings"].instance / "files", Paper("din-5008-b", "DE", "Example")
            letters.do(batch, folder=files, paper=paper, clock=clock.now)
            day = clock.now().date()
            letters.posted(incident.ref, batch, way="post", day=day, actor=AUTHOR, now=clock.now(), today=day)
            made = letter_rows.anywhere(batch)
            assert made is not None
            self.incident = incident.ref
            self.refs = {row.person_number: row.ref for row in letter_rows.deliveries_of(made.id)}
            self.code = checks.code_of(incident.id, notice, 1)
            db.session.remove()

    def work(self) -> None:
        """What the scheduler does."""
        with self.app.app_context():
            work.once()
            db.session.remove()

    def told(self) -> list[str]:
        """Where the notice itself went by e-mail, each time."""
        return [one.to[0] for one in self.mail.mails if one.parsed["Subject"] == SUBJECT]

    def proof(self) -> str:
        """The code in the mail that asks whether a new address is theirs."""
        [mail] = [one for one in self.mail.mails if one.to == ["new@example.org"]]
        body = mail.parsed.get_body(("plain",))
        assert body is not None
        found = re.search(r"^[0-9A-Z]{4}-[0-9A-Z]{4}$", body.get_content().replace("\r", ""), re.MULTILINE)
        assert found is not None
        return found[0]


@pytest.fixture
def posted(tmp_path: Path) -> Iterator[Posted]:
    with FakeSmtp() as mail:
        made = Posted(tmp_path, mail)
        yield made
        made.server.close()


def test_returned_mail_and_a_corrected_address(posted: Posted, browser: Browser):
    page = posted.enter(browser, width=390, signed=posted.sign_in(Role.LEAD, language="zh-Hans")).new_page()
    page.goto(f"{posted.url}/incidents/{posted.incident}/letters/returned/")
    picked(page, "#why", "moved")
    typed(page, "#reference", posted.refs[2].lower())
    enter_on(page, "form:has(#reference) button")
    expect(page.locator(".entry .tag--late")).to_have_count(1)
    listed = f"date,reference\n1,{posted.refs[1]}\n2,nonsense\n3,{posted.refs[2]}\n"
    brought(page, "#file", "back.csv", listed)
    enter_on(page, "form:has(#file) button")
    expect(page.get_by_role("status")).to_contain_text("3")
    expect(page.locator(".entry .tag--late")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert axe.violations(page) == []
    posted.work()
    assert posted.told() == ["second@example.org"]

    words = check_words.words("zh-Hans")
    stranger = Window(browser, posted.url, width=390)
    page = stranger.go(f"/check/{posted.code}/address?language=zh-Hans")
    typed(page, "#email", "new@example.org")
    enter_on(page, "form button")
    expect(page.get_by_role("status")).to_contain_text(words["address"]["sent"])
    posted.work()
    typed(page, "#proof", posted.proof().lower())
    enter_on(page, "form button")
    expect(page.get_by_role("status")).to_contain_text(words["address"]["done"])
    posted.work()
    posted.work()
    assert posted.told() == ["second@example.org", "new@example.org"]
    assert stranger.wrong == []

    desk = posted.enter(browser).new_page()
    desk.goto(f"{posted.url}/incidents/{posted.incident}/people/P-1")
    assert "new@example.org" not in desk.content()
    desk.goto(f"{posted.url}/incidents/{posted.incident}/sending/")
    press(desk.locator("main a[href*='/sending/S-']").first)
    expect(desk.locator("main")).to_contain_text("3")
