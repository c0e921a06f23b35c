"""Children, those who died and people at risk at home, by keyboard alone, in both languages: from the list to what goes out.

The list is brought with birth dates, guardians and safe ways; whoever approves sees how many are told otherwise, and who;
then real mail leaves for a mail server of ours, and the letters are printed and read.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from incident import work
from incident.domain.access import Role
from incident.domain.preflight import CARE
from incident.store import incidents
from incident.store.db import db
from tests.builders import a_notice, a_text, an_incident
from tests.fakes.smtp import FakeSmtp
from tests.journeys.keyboard import brought, enter_on, typed
from tests.journeys.reader import Reader
from tests.journeys.served import Served
from tests.journeys.world import COMPANY

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

LIST = """name,email,postal address,country,data kinds,date of birth,guardian,guardian email,deceased,safe contact only
Ada Adult,ada@{0},"Street 1\n10117 Berlin",DE,email,1980-02-01,,,,
Milo Minor,milo@{0},"Street 2\n10117 Berlin",DE,email,2016-05-01,Gerda Guardian,gerda@{0},,
Nora Alone,,"Street 3\n10117 Berlin",DE,email,2015-05-01,,,,
Dora Dead,dora@{0},"Street 4\n10117 Berlin",DE,email,,,,yes,
Rita Risk,rita@{0},"Street 5\n10117 Berlin",DE,email,,,,,email
Sam Silent,sam@{0},"Street 6\n10117 Berlin",DE,email,,,,,none
"""
HELD = [
    *("name", "email", "address", "country", "exposed"),
    *("birth_date", "guardian_name", "guardian_email", "deceased", "safe_ways"),
]
TEXT = a_text()
TEXT.sections["what_happened"] = "A copy was made of what we hold of {{ person.for_whom }}."
TOLD_OTHERWISE = {"guardian": "P-2", "minor": "P-3", "next_of_kin": "P-4", "at_risk": "P-5", "unsafe": "P-6"}


class Caring(Served):
    """An installation that sends mail to a mail server of ours and prints letters."""

    def __init__(self, folder: Path, mail: FakeSmtp) -> None:
        super().__init__(
            folder, Role.LEAD, smtp_url=mail.url, smtp_from="notice@example.org", letters="din-5008-b", **COMPANY
        )
        self.mail = mail

    def breach(self) -> str:
        """An incident of which nobody is on the list yet; its reference."""
        with self.app.app_context():
            ref = an_incident().ref
            db.session.remove()
        return ref

    def written(self, incident: str) -> str:
        """A notice to everybody of it, still written; its reference."""
        with self.app.app_context():
            found = incidents.by_ref(incident)
            assert found is not None
            notice = a_notice(found, channels=("email", "letter"), texts=(TEXT,))
            db.session.remove()
        return notice

    def work(self) -> None:
        """What the scheduler does."""
        with self.app.app_context():
            work.once()
            db.session.remove()

    def mailed(self, domain: str) -> dict[str, str]:
        """What went to each address of this domain, in plain text."""
        found = {}
        for mail in self.mail.mails:
            [to] = mail.to
            if to.endswith(f"@{domain}"):
                body = mail.parsed.get_body(("plain",))
                assert body is not None
                assert to not in found
                found[to.partition("@")[0]] = body.get_content()
        return found


@pytest.fixture(scope="module")
def caring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caring]:
    with FakeSmtp() as mail:
        made = Caring(tmp_path_factory.mktemp("caring"), mail)
        yield made
        made.server.close()


@pytest.mark.parametrize(("language", "width", "look"), [("en", 1440, "light"), ("zh-Hans", 390, "dark")])
def test_from_the_list_to_what_goes_out(caring: Caring, browser: Browser, language: str, width: int, look: str):
    lead = Reader(caring, browser, language, width, look)
    incident, domain = caring.breach(), f"{language.lower()}.example.org"
    _bring(lead, incident, LIST.format(domain))
    _are_shown_as_they_are(lead, incident)
    notice = caring.written(incident)
    _are_counted_and_named(lead, incident, notice)
    _approve_and_send(lead, incident, notice)
    mails = caring.mailed(domain)
    assert set(mails) == {"ada", "gerda", "rita"}
    assert "Gerda Guardian" in mails["gerda"]
    assert "Milo Minor" in mails["gerda"]
    letters = _printed(lead, incident)
    assert "To the parents or guardian of Nora Alone" in letters
    assert "To the next of kin of Dora Dead" in letters
    assert not {"Ada Adult", "Milo Minor", "Rita Risk", "Sam Silent", "Street 5", "Street 6"} & set(
        re.findall(r"Ada Adult|Milo Minor|Rita Risk|Sam Silent|Street [56]", letters)
    )
    assert lead.wrong == []


def _bring(lead: Reader, incident: str, content: str) -> None:
    """What each column holds is recognised by its name; everybody is taken in."""
    page = lead.go(f"/incidents/{incident}/lists/")
    brought(page, "#file", "people.csv", content)
    enter_on(page, "form:has(#file) button")
    assert [page.locator(f"#column-{n}").input_value() for n in range(1, 11)] == HELD
    lead.looks("represented-columns")
    enter_on(page, "form:has(#targets) button.btn-primary")
    lead.here.work()
    page.reload()
    expect(page.locator("table.table tbody tr").first).to_contain_text("6")


def _are_shown_as_they_are(lead: Reader, incident: str) -> None:
    page = lead.go(f"/incidents/{incident}/people/P-2")
    expect(page.locator(".top")).to_contain_text(lead.said("has a guardian"))
    assert "gerda@" not in page.content()
    page = lead.go(f"/incidents/{incident}/people/P-5")
    expect(page.locator(".top")).to_contain_text(lead.said("at risk at home"))
    expect(page.locator("aside")).to_contain_text(lead.said("e-mail"))
    lead.looks("represented-person")


def _are_counted_and_named(lead: Reader, incident: str, notice: str) -> None:
    """One of each is counted before anybody approves, and the count leads to who it is."""
    page = lead.go(f"/incidents/{incident}/notices/{notice}/check/")
    enter_on(page, "form.act button")
    lead.here.work()
    page.reload()
    for word in TOLD_OTHERWISE:
        expect(page.locator("main")).to_contain_text(lead.said(CARE[word][0]))
        expect(page.locator(f"a[href*='care.{word}']")).to_have_count(1)
    lead.looks("represented-check")
    for word, person in TOLD_OTHERWISE.items():
        page = lead.go(f"/incidents/{incident}/notices/{notice}/check/people?what=care.{word}")
        expect(page.locator("main a[href*='/people/P-']")).to_have_text([person])
    lead.looks("represented-named")


def _approve_and_send(lead: Reader, incident: str, notice: str) -> None:
    page = lead.go(f"/incidents/{incident}/notices/{notice}")
    enter_on(page, "button[name=then][value=submit]")
    expect(page.locator("button[name=then][value=submit]")).to_have_count(0)
    second = Reader(lead.here, lead.browser, lead.language, 1440, "light", Role.APPROVER)
    there = second.go(f"/incidents/{incident}/notices/{notice}")
    typed(there, "#people", "6")
    enter_on(there, "form[action$='/approve'] button")
    expect(there.locator("form[action$='/approve']")).to_have_count(0)
    page = lead.go(f"/incidents/{incident}/sending/new/{notice}")
    typed(page, "#people", "5")
    enter_on(page, "main form button.btn-primary")
    lead.here.work()


def _printed(lead: Reader, incident: str) -> str:
    """The letters, asked for, printed and opened by keyboard, as one text."""
    page = lead.go(f"/incidents/{incident}/letters/")
    enter_on(page, "main form.act button")
    lead.here.work()
    page = lead.go(f"/incidents/{incident}/letters/")
    return _opened(page)


def _opened(page: Page) -> str:
    button = page.locator("form[action*='/files/'] button").first
    button.focus()
    with page.expect_download() as kept:
        page.keyboard.press("Enter")
    found = PdfReader(io.BytesIO(Path(kept.value.path()).read_bytes()))
    return " ".join(" ".join(sheet.extract_text().split()) for sheet in found.pages)
