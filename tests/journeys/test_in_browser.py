"""The whole path by the pages, in a real Chromium, several people signed in: from the set-up link to the closed incident."""

import re
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import Window, opened, press
from tests.journeys.installation import ROOT
from tests.journeys.world import Messy, World, messy_people, world

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

PASSWORD = "seven quiet lanterns beside a river"
TEAM = BOSS, CASE, SECOND = "boss@example.org", "case@example.org", "second@example.org"
PROMPT = re.compile(r"\[…[^\]]*\]")
WORDS = {"en": "We closed the way in and are looking into it.", "zh-Hans": "我们已关闭该途径并正在调查。"}
AWARE = datetime.now(ZoneInfo("Europe/Berlin")) - timedelta(hours=20)
LOCAL = "%Y-%m-%dT%H:%M"
REST = {
    "establishments": "DE",
    "operator": "general",
    "exfiltration": "confirmed",
    "encryption": "none",
    "risk_to_people": "high",
    "measures_taken": "The host was closed and all passwords reset.",
    "consequences": "Messages that pretend to come from us.",
}


@pytest.fixture
def here(tmp_path: Path):
    with world(tmp_path / "instance") as made:
        made.tocsin.start()
        yield made


def test_the_whole_path_in_a_browser(here: World, tmp_path: Path):
    people = messy_people(2_000, "gb18030")
    with opened() as browser:
        boss = Window(browser, here.tocsin.url)
        _begin(boss, here.tocsin.setup_link(), email=BOSS)
        case = _invited(browser, boss, CASE, "responder", "lead", "privacy", "communications")
        second = _invited(browser, boss, SECOND, "approver", width=390)
        _say_yes(case)
        path = _log(case)
        _grade_and_plan(case, path)
        _bring(case, path, people, tmp_path)
        _answer(case, path)
        notice = _write(case, path)
        _approve(case, second, notice, people)
        _send(case, here, people)
        _report(case, path, tmp_path)
        _look_everywhere(case, second, path)
        _close(case, path)
        for window in (boss, case, second):
            assert window.wrong == []
    record = tmp_path / "record.jsonl"
    here.tocsin.run("audit", "export", str(record))
    checked = subprocess.run(
        [sys.executable, "-m", "incident.domain.audit", str(record)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def _begin(window: Window, link: str, *, email: str = "") -> None:
    """Take up a one-time link: name, password, code generator, recovery codes."""
    page = window.go(link)
    if email:
        page.get_by_label("Mail address").fill(email)
    page.get_by_label("Your name").fill(email.partition("@")[0] or "Somebody")
    page.get_by_label("Your time zone").select_option("Europe/Berlin")
    page.get_by_label("Password").fill(PASSWORD)
    press(page.get_by_role("button", name="Make my account"))
    key = re.sub(r"\s", "", page.locator(".mono").first.inner_text())
    page.get_by_label("Code").fill(pyotp.TOTP(key).now())
    press(page.get_by_role("button", name="Use this generator"))
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    press(page.get_by_role("link", name="I have kept them"))


def _invited(browser: Browser, boss: Window, email: str, *roles: str, width: int = 1440) -> Window:
    page = boss.go("/team/")
    page.locator("form[action$='/invitations'], form[action$='/invite']").first.get_by_label("Mail address").fill(email)
    for role in roles:
        page.locator(f"input[type=checkbox][value={role}]").first.check()
    press(page.get_by_role("button", name="Make a link"))
    link = re.search(r"http://\S+/welcome/[A-Za-z0-9_-]+", page.content())
    assert link, "the link is shown once"
    window = Window(browser, boss.url, width=width)
    _begin(window, link[0])
    return window


def _say_yes(case: Window) -> None:
    """A role counts once somebody else than the inviter has said yes."""
    page = case.go("/team/rules/")
    page.get_by_text("Say yes").first.click()
    press(page.get_by_role("button", name="Give the roles"))
    expect(page.get_by_text("The roles count from now on")).to_be_visible()


def _log(case: Window) -> str:
    page = case.go("/")
    press(page.get_by_role("link", name="Log an incident").first)
    page.get_by_label("Short title").fill("Customer database copied")
    page.get_by_label("How do you know?").fill("log analysis")
    page.get_by_label("How sure are you?").select_option("high")
    page.locator("[name=what_happened]").fill(
        "A backup host that could be reached from outside held a copy of the customer database."
    )
    page.locator("[name=category]").select_option("data_leak")
    page.locator("[name=properties][value=confidentiality]").check()
    page.locator("[name=malicious][value=yes]").check()
    page.locator("[name=aware_at]").fill(AWARE.strftime(LOCAL))
    page.locator("[name=occurred_from]").fill((AWARE - timedelta(days=9)).strftime(LOCAL))
    page.locator("[name=personal_data][value=yes]").check()
    for kind in ("name", "email", "address"):
        page.locator(f"[name=data_kinds][value={kind}]").check()
    page.locator("[name=role][value=controller]").check()
    press(page.get_by_role("button", name="Log it"))
    expect(page.get_by_text("Logged.")).to_be_visible()
    return page.url.removeprefix(case.url)


def _grade_and_plan(case: Window, path: str) -> None:
    page = case.go(f"{path}/grades/")
    expect(page.get_by_text("SE = DPC × EI + CB")).to_be_visible()
    page = case.go(f"{path}/plans/")
    press(page.get_by_role("button", name="Activate").first)
    expect(page.get_by_text("mandatory still block closing")).to_be_visible()
    press(page.get_by_role("button", name="Take").first)


def _bring(case: Window, path: str, people: Messy, folder: Path) -> None:
    listed = folder / "kunden.csv"
    listed.write_bytes(people.content)
    page = case.go(f"{path}/lists/")
    page.locator("input[type=file]").set_input_files(listed)
    press(page.get_by_role("button", name="Bring it"))
    expect(page.get_by_text("样本").first).to_be_visible()
    page.locator("#exposed > summary").click()
    for kind in ("name", "email", "address"):
        page.locator(f"[name=exposed][value={kind}]").check()
    press(page.get_by_role("button", name="Take the list in"))
    expect(page.get_by_role("link", name="See the people")).to_be_visible(timeout=60_000)
    press(page.get_by_role("link", name="See the people"))
    assert "•" in page.locator("main").inner_text(), "contacts are masked"
    assert "person17@example.org" not in page.content()
    press(page.get_by_role("button", name="Record as facts"))


def _answer(case: Window, path: str) -> None:
    """The questions that decide, answered one by one; the duties follow."""
    for key, answer in REST.items():
        page = case.go(f"{path}/facts/{key}")
        field = page.locator(f"[name={key}]").first
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(answer)
        elif field.get_attribute("type") == "radio":
            page.locator(f"[name={key}][value={answer}]").check()
        else:
            field.fill(answer)
        press(page.get_by_role("button", name="Record"))
    page = case.go(f"{path}/duties/")
    press(page.get_by_role("button", name=re.compile("Accept all")).first)
    expect(page.get_by_text("72 h").first).to_be_visible()


def _write(case: Window, path: str) -> str:
    page = case.go(f"{path}/notices/new")
    page.get_by_label("Title for your team").fill("To account holders")
    page.locator("[name=languages][value='zh-Hans']").check()
    press(page.get_by_role("button", name="Begin"))
    notice = page.url.removeprefix(case.url).split("?")[0]
    for language, words in WORDS.items():
        page = case.go(f"{notice}?language={language}")
        for box in page.locator("#compose textarea").all():
            if PROMPT.search(box.input_value()):
                box.evaluate("(node, text) => { node.value = text }", PROMPT.sub(words, box.input_value()))
        for cover in page.locator("select[name^='cover:']").all():
            cover.select_option("what_happened")
        page.get_by_label("First by").select_option("email")
        page.get_by_label("Then by").first.select_option("sms")
        press(page.get_by_role("button", name="Save", exact=True))
    press(page.get_by_role("button", name="Submit for approval"))
    assert page.get_by_role("alert").count() == 0, page.get_by_role("alert").first.inner_text()
    expect(page.get_by_role("button", name="Submit for approval")).to_have_count(0)
    return notice


def _approve(case: Window, second: Window, notice: str, people: Messy) -> None:
    case.go(notice)
    expect(case.page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    page = second.go(notice)
    assert second.fits()
    page.get_by_label("Urgent").check()  # whenever this runs, it is night for somebody
    page.get_by_label("Type the number of people").fill(str(people.good))
    press(page.get_by_role("button", name="Approve", exact=True), twice=True)
    expect(page.get_by_text("approved").first).to_be_visible()


def _told(here: World) -> list[str]:
    """Where notices went; the team has mail of its own, about roles."""
    mailed = [letter.to for letter in here.sendgrid.letters if letter.to not in TEAM]
    return mailed + [text.to for text in here.twilio.texts]


def _send(case: Window, here: World, people: Messy) -> None:
    page = case.page
    page.reload()
    page.get_by_role("link", name=re.compile("Send now")).click()
    for box in page.locator("input[name=people], input[name=typed]").all():
        box.fill(str(people.good))
    press(page.get_by_role("button", name=re.compile("Send to")))
    expect(page.locator("main")).to_contain_text(f"{people.good:,}")
    until = time.monotonic() + 120
    while len(_told(here)) < people.good and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(2)  # a second copy would come now
    told = _told(here)
    assert (len(told), len(set(told))) == (people.good, people.good)
    here.sendgrid.bounces = {told[0]}
    assert set(here.sendgrid.report(f"{here.tocsin.url}/hooks/sendgrid", seed=3)) == {204}
    page.reload()
    expect(page.get_by_text("taken by the provider, and not delivered")).to_be_visible()


def _report(case: Window, path: str, folder: Path) -> None:
    page = case.go(f"{path}/reports/")
    page.locator("select[name=form]").select_option("eu-gdpr-33")
    press(page.get_by_role("button", name=re.compile("Begin|Prepare|Start")).first)
    with page.expect_download() as kept:
        page.get_by_role("button", name=re.compile("PDF")).first.click()
    kept.value.save_as(folder / "report.pdf")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF-")


def _look_everywhere(case: Window, second: Window, path: str) -> None:
    """Every stop of the path fits the screen, wide and small, and asks nobody outside."""
    stops = (
        "",
        "/facts",
        "/timeline",
        "/evidence",
        "/grades/",
        "/plans/",
        "/people/",
        "/lists/",
        "/duties/",
        "/notices/",
        "/sending/",
        "/reports/",
        "/record/",
        "/closing/",
        "/team/",
    )
    for window in (case, second):
        for stop in stops:
            window.go(path + stop)
            assert window.fits(), f"{stop} scrolls sideways"
        window.go("/")
        assert window.fits()


def _close(case: Window, path: str) -> None:
    """What still stands in the way is done page by page; then it closes."""
    page = case.go(f"{path}/sending/")
    press(page.locator(f"a[href*='{path}/sending/S-']").first)
    for step in _refs(case.go(f"{path}/plans/").content(), f"{path}/plans/"):
        page = case.go(step)
        if page.get_by_role("button", name="Finish this step").count():
            page.locator("#note").fill("Done and seen.")
            press(page.get_by_role("button", name="Finish this step"))
    for fold, word in (("Join identical records", "Join them"), ("Keep all others apart", "Keep them apart")):
        page = case.go(f"{path}/people/duplicates")
        if page.get_by_text(fold).count():
            page.get_by_text(fold, exact=True).click()
            press(page.get_by_role("button", name=word))
    _settle_duties(case, path, "Owed", "It was done", "note")
    _settle_duties(case, path, "Open", "Waive this duty", "reason")
    page = case.go(_refs(case.go(f"{path}/reports/").content(), f"{path}/reports/")[0])
    _unfold(page)
    press(page.locator("form[action$='/discard'] button").first)
    page = case.go(f"{path}/closing/")
    _unfold(page)
    for box in page.locator("form[action$='/review'] textarea").all():
        box.fill("As the time line says.")
    press(page.get_by_role("button", name="Keep the review"))
    _unfold(page)
    for box in page.locator("form[action$='/close'] textarea").all():
        box.fill("Everybody who had to be told was told.")
    press(page.locator("form[action$='/close'] button"))
    expect(page.get_by_text("closed", exact=True).first).to_be_visible()


def _settle_duties(case: Window, path: str, tab: str, button: str, words: str) -> None:
    page = case.go(f"{path}/duties/")
    shown = page.get_by_role("link", name=re.compile(rf"^{tab} [0-9]+")).first
    shown.click()
    expect(shown).to_have_attribute("aria-current", "page")
    for duty in _refs(page.content(), f"{path}/duties/"):
        page = case.go(duty)
        _unfold(page)
        act = page.get_by_role("button", name=button)
        if act.count():
            act.locator("xpath=ancestor::form").locator(f"[name={words}]").fill("By the notice of today.")
            press(act)


def _refs(html: str, under: str) -> list[str]:
    """The addresses of single things under a path that a page links to, each once."""
    return list(dict.fromkeys(re.findall(rf'href="({re.escape(under)}(?:steps/)?[A-Z]+-[0-9A-Z]{{8}})"', html)))


def _unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
