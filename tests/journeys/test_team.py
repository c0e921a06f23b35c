"""The team in real browsers: set up, invite, join with two factors, restrict an incident, lock somebody out."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from incident.domain import second_factor
from tests.journeys.browser import Window, opened, press
from tests.journeys.installation import Installation

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

STRONG = "correct horse battery staple"


def join(window: Window, link: str, *, name: str, email: str = "") -> str:
    """Take up a link, set up the second factor with the key the page shows; one of the recovery codes."""
    page = window.go(link)
    assert "/welcome" in page.url
    assert link not in page.url
    if email:
        page.get_by_label("Mail address").fill(email)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your time zone").select_option("Europe/Berlin")
    page.get_by_label("Password", exact=True).fill(STRONG)
    press(page.get_by_role("button", name="Make my account"))
    key = page.locator(".mono").first.inner_text().replace(" ", "")
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    page.get_by_label("Code").fill(code(key))
    press(page.get_by_role("button", name="Use this generator"))
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    return codes[0]


def code(key: str) -> str:
    return second_factor.code_at(second_factor.as_bytes(key), second_factor.counter_at(datetime.now(UTC)))


def invite(boss: Window, email: str, *roles: str) -> str:
    page = boss.go("/team/")
    page.get_by_label("Mail address").fill(email)
    for role in roles:
        page.locator(f"input[name=roles][value={role}]").check()
    press(page.get_by_role("button", name="Make a link"))
    return page.locator("p.mono").first.inner_text()


def new_incident(window: Window, title: str) -> str:
    page = window.go("/incidents/log")
    page.get_by_label("Short title").fill(title)
    press(page.get_by_role("button", name="Log it"))
    return page.url.rsplit("/incidents/", 1)[1].split("/")[0]


def test_a_team_comes_together_and_a_restricted_incident_stays_with_its_people(tmp_path: Path):
    with Installation(tmp_path / "instance") as tocsin, opened() as browser:
        boss, lead, other = (Window(browser, tocsin.url) for _ in range(3))
        join(boss, tocsin.setup_link(), name="First Administrator", email="boss@example.org")
        _setup_link_is_dead(browser, tocsin)
        recovery_code = join(lead, invite(boss, "lead@example.org", "lead"), name="Lead")
        join(other, invite(boss, "other@example.org", "privacy", "approver"), name="Other")
        _second_yes(lead, other)
        _restricted(boss, lead, other)
        _signs_out_and_in(lead, recovery_code)
        _locked_out(boss, other)
        assert [window.wrong for window in (boss, lead, other)] == [[], [], []]


def _setup_link_is_dead(browser: Browser, tocsin: Installation) -> None:
    late = Window(browser, tocsin.url)
    page = late.go(tocsin.setup_link())
    assert page.get_by_role("heading", name="This link opens nothing any more").is_visible()
    late.context.close()


def _second_yes(lead: Window, other: Window) -> None:
    """Roles of an invitation count once somebody else than the inviter said yes; the desk leads there."""
    assert other.go("/account/").get_by_text("wait for a second person's yes").is_visible()
    page = lead.go("/")
    press(page.get_by_role("link", name="Say yes or no: Other as privacy, approver"))
    page.get_by_text("Say yes").first.click()
    press(page.get_by_role("button", name="Give the roles"))
    assert page.get_by_text("Given. The roles count from now on").is_visible()


def _restricted(boss: Window, lead: Window, other: Window) -> None:
    ref = new_incident(lead, "Unspoken")
    assert other.go("/incidents/").get_by_text("Unspoken").count() == 1
    page = lead.go(f"/incidents/{ref}/team/")
    page.get_by_text("Restrict it").first.click()
    press(page.get_by_role("button", name="Restrict it"))
    for window in (boss, other):
        assert window.go("/incidents/").get_by_text("Unspoken").count() == 0
        assert window.go(f"/incidents/{ref}").get_by_role("heading", name="Nothing here").is_visible()
    page.get_by_label("Person").select_option(label="Other (privacy, approver)")
    press(page.get_by_role("button", name="Add"))
    assert other.go(f"/incidents/{ref}/team/").get_by_text("privacy, approver · added by Lead").is_visible()
    for width in (390, 1440):
        other.page.set_viewport_size({"width": width, "height": 900})
        assert all(other.go(path).url and other.fits() for path in (f"/incidents/{ref}/team/", "/team/", "/account/"))


def _signs_out_and_in(window: Window, recovery_code: str) -> None:
    press(window.go("/account/").get_by_role("button", name="Sign out", exact=True))
    page = window.go("/team/")
    assert "/sign-in" in page.url
    page.get_by_label("Mail address").fill("lead@example.org")
    page.get_by_label("Password").fill(STRONG)
    press(page.get_by_role("button", name="Go on"))
    page.get_by_label("Code").fill(recovery_code)
    press(page.get_by_role("button", name="Sign in"))
    assert page.url.endswith("/team/")


def _locked_out(boss: Window, other: Window) -> None:
    page = boss.go("/team/")
    press(page.get_by_role("link", name="Other"))
    page.get_by_text("Lock the account").first.click()
    press(page.get_by_role("button", name="Lock it"))
    assert page.get_by_text("all its sessions and tokens have ended").is_visible()
    assert "/sign-in" in other.go("/account/").url
