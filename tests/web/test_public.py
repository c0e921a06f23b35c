"""Pages for everybody: what they show, what they keep to themselves, and how long proxies may keep them."""

import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timedelta

import pytest

from incident import clock
from incident.actions import announcements, intake, people
from incident.actions.notices import approved_version
from incident.domain import tip_words
from incident.domain.access import Role
from incident.store import announcements as rows
from incident.store.db import db
from tests.builders import a_notice, a_text, an_incident, notice_row
from tests.exports.test_cap import check

WHO = "U-0AUTHOR0"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def incident(app):
    found = an_incident(facts={"data_kinds": ["email"]}, title="Secret title")
    people.add(
        found.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor=WHO, now=clock.now()
    )
    return found


def public(incident, *, starts_in=timedelta(0), lasts=None, texts=()):
    texts = texts or (a_text(subject="Notice & more"), a_text("zh-Hans", subject="告知书"))
    ref = a_notice(incident, channels=("email", "announcement"), stage="approved", texts=texts)
    starts = clock.now() + starts_in
    return ref, announcements.publish(
        incident.ref,
        ref,
        digest=approved_version(ref).digest,
        starts_at=starts,
        ends_at=starts + lasts if lasts else None,
        actor=WHO,
        now=clock.now(),
    )


def test_anyone_can_read_an_announcement_in_its_languages(incident, client):
    _, slug = public(incident)
    english = client.get(f"/notices/{slug}")
    assert english.status_code == 200
    assert "<h1>Notice &amp; more</h1>" in english.get_data(as_text=True)
    assert '<html lang="en" dir="ltr">' in english.get_data(as_text=True)
    chinese = client.get(f"/notices/{slug}/zh-Hans")
    assert "<h1>告知书</h1>" in chinese.get_data(as_text=True)
    asked = client.get(f"/notices/{slug}", headers={"Accept-Language": "zh-Hans"})
    assert "<h1>告知书</h1>" in asked.get_data(as_text=True)
    assert client.get(f"/notices/{slug}/fr").status_code == 404


NAV = {
    "en": ("Notices", "Report something"),
    "de": ("Bekanntmachungen", "Etwas melden"),
    "es": ("Anuncios", "Comunicar algo"),
    "fr": ("Annonces", "Signaler quelque chose"),
    "ja": ("公表", "報告する"),
    "zh-Hans": ("公告", "报告问题"),
    "zh-Hant": ("公告", "通報問題"),
}


@pytest.mark.parametrize("language", NAV)
def test_every_public_page_speaks_its_language_in_the_bar_as_well(incident, client, language):
    ref, slug = public(incident, texts=tuple(a_text(tag) for tag in NAV))
    notices, report = NAV[language]
    pages = (
        *("/notices/?language={}", "/notices/" + slug + "/{}", "/report/{}", "/report/{}/leak", "/report/{}/follow-up"),
        *("/check?language={}", f"/check/{ref}?language={{}}", f"/check/{ref}/question?language={{}}"),
    )
    for address in pages:
        answer = client.get(address.format(language))
        page = answer.get_data(as_text=True)
        bar = page.partition("<header")[2].partition("</header>")[0]
        assert answer.status_code == 200, address
        assert f'<html lang="{language}" ' in page, address
        assert f">{notices}</a>" in bar, address
        assert f">{report}</a>" in bar, address
        english = re.findall("|".join(f">{word}<" for word in NAV["en"]), page) if language != "en" else []
        assert english == [], address


def test_the_list_of_notices_is_in_the_language_that_the_browser_reads(incident, client):
    public(incident)
    answer = client.get("/notices/", headers={"Accept-Language": "fr-CH, de;q=0.7"})
    assert answer.headers["Content-Language"] == "fr"
    assert "Accept-Language" in answer.headers["Vary"]
    assert "<h1>Annonces</h1>" in answer.get_data(as_text=True)
    assert client.get("/notices/?language=xx").headers["Content-Language"] == "en"


def test_no_public_page_says_anything_of_people_or_the_incident(incident, client):
    ref, slug = public(incident)
    for path in ("/notices/", f"/notices/{slug}", "/notices/feed.atom", f"/notices/check?reference={ref}"):
        page = client.get(path).get_data(as_text=True)
        for secret in ("Kim One", "kim@", "P-1", "Secret title", incident.ref, WHO):
            assert secret not in page, (path, secret)


def test_an_announcement_is_public_in_its_period_only(incident, client):
    _, slug = public(incident, starts_in=timedelta(hours=1), lasts=timedelta(hours=2))
    assert client.get(f"/notices/{slug}").status_code == 404
    row = rows.by_slug(slug)
    row.starts_at, row.ends_at = clock.now() - timedelta(hours=3), clock.now() - timedelta(hours=1)
    db.session.commit()
    assert client.get(f"/notices/{slug}").status_code == 410
    assert slug not in client.get("/notices/").get_data(as_text=True)
    assert slug not in client.get("/notices/feed.atom").get_data(as_text=True)


def test_what_was_taken_down_is_gone_without_its_reason(incident, client):
    ref, slug = public(incident)
    announcements.take_down(incident.ref, ref, reason="Private words", actor=WHO, now=clock.now())
    reply = client.get(f"/notices/{slug}")
    assert reply.status_code == 410
    assert "Private words" not in reply.get_data(as_text=True)


def test_the_feed_is_well_formed_atom_with_an_entry_a_language(incident, client):
    _, slug = public(incident)
    reply = client.get("/notices/feed.atom")
    assert reply.mimetype == "application/atom+xml"
    feed = ElementTree.fromstring(reply.get_data())
    assert [entry.find(f"{ATOM}title").text for entry in feed.findall(f"{ATOM}entry")] == ["Notice & more", "告知书"]
    assert {entry.find(f"{ATOM}id").text for entry in feed.findall(f"{ATOM}entry")} == {
        f"http://localhost/notices/{slug}/en",
        f"http://localhost/notices/{slug}/zh-Hans",
    }
    for part in ("id", "title", "updated"):
        assert feed.find(f"{ATOM}{part}").text
        assert all(entry.find(f"{ATOM}{part}").text for entry in feed.findall(f"{ATOM}entry"))
    assert feed.find(f"{ATOM}author/{ATOM}name").text
    (own,) = [link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert own.get("href") == "http://localhost/notices/feed.atom"
    for entry in feed.findall(f"{ATOM}entry"):
        assert len([link for link in entry.findall(f"{ATOM}link") if link.get("rel") == "alternate"]) == 1
        assert datetime.fromisoformat(entry.find(f"{ATOM}updated").text).tzinfo


def test_an_empty_feed_is_well_formed_too(app, client):
    feed = ElementTree.fromstring(client.get("/notices/feed.atom").get_data())
    assert feed.find(f"{ATOM}updated").text


def test_the_page_is_described_for_search_engines_and_cannot_be_broken_out_of(incident, client):
    evil = "</script><script>alert(1)</script>"
    _, slug = public(incident, texts=(a_text(subject=evil),))
    page = client.get(f"/notices/{slug}").get_data(as_text=True)
    assert "<script>alert" not in page
    (linked,) = re.findall(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert json.loads(linked)["name"] == evil


def test_search_engines_are_told_of_a_special_announcement_in_the_words_of_schema_org(incident, client):
    _, slug = public(incident, lasts=timedelta(days=90))
    page = client.get(f"/notices/{slug}/zh-Hans").get_data(as_text=True)
    (found,) = re.findall(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page, re.DOTALL)
    linked = json.loads(found)
    row = rows.by_slug(slug)
    assert (linked["@context"], linked["@type"]) == ("https://schema.org", "SpecialAnnouncement")
    assert linked["category"] == "个人信息安全事件告知书"
    assert (linked["datePosted"], linked["expires"]) == (row.starts_at.isoformat(), row.ends_at.isoformat())
    assert linked["url"] == f"http://localhost/notices/{slug}/zh-Hans"
    assert [one["@id"] for one in linked["workTranslation"]] == [f"http://localhost/notices/{slug}/en"]
    assert "About what_happened." in linked["text"]
    assert linked["webFeed"] == "http://localhost/notices/feed.atom"


def test_page_and_styles_together_are_light_and_ask_nobody_else(incident, client):
    _, slug = public(incident)
    page = client.get(f"/notices/{slug}")
    text = page.get_data(as_text=True)
    parts = [path for path in re.findall(r'<link rel="(?:stylesheet|icon)" href="([^"]+)"', text)]
    assert len(parts) == 3
    assert all(path.startswith("/static/") for path in parts)
    assert len(page.get_data()) + sum(len(client.get(path).get_data()) for path in parts) < 60_000
    assert not re.search(r"<(?:script|img|iframe|link)[^>]+src=", text)


def test_the_frame_speaks_the_language_of_the_text(incident, client):
    _, slug = public(incident, lasts=timedelta(days=90))
    page = client.get(f"/notices/{slug}/zh-Hans").get_data(as_text=True)
    assert '<html lang="zh-Hans" dir="ltr">' in page
    for words in ("跳到正文", "核实通知是否由我们发出", "公示期：", 'aria-label="语言"'):
        assert words in page
    assert "Skip to" not in page


def test_after_its_end_each_language_says_from_when_to_when_it_was_posted(incident, client):
    _, slug = public(incident, lasts=timedelta(days=90))
    row = rows.by_slug(slug)
    row.starts_at, row.ends_at = (clock.now() - timedelta(days=days) for days in (100, 10))
    db.session.commit()
    reply = client.get(f"/notices/{slug}/en")
    assert reply.status_code == 410
    assert f"was posted from {row.starts_at.day} " in reply.get_data(as_text=True)
    assert f" to {row.ends_at.day} " in reply.get_data(as_text=True)
    chinese = client.get(f"/notices/{slug}/zh-Hans")
    assert (chinese.status_code, chinese.headers["Content-Language"]) == (410, "zh-Hans")
    assert "本公告的公示期为" in chinese.get_data(as_text=True)
    assert client.get(f"/notices/{slug}/cap.xml").status_code == 410


def test_the_page_of_a_drill_is_for_the_team_alone_and_says_what_it_is(app, client, as_):
    drill = an_incident(kind="drill", facts={"data_kinds": ["email"]})
    people.add(
        drill.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor=WHO, now=clock.now()
    )
    _, slug = public(drill)
    for path in (f"/notices/{slug}", f"/notices/{slug}/en", f"/notices/{slug}/cap.xml"):
        assert client.get(path).status_code == 404
        assert as_(Role.ADMINISTRATOR).get(path).status_code == 404
    for path in ("/notices/", "/notices/feed.atom"):
        assert slug not in client.get(path).get_data(as_text=True)
    page = as_(Role.LEAD).get(f"/notices/{slug}")
    assert "This is an exercise" in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert "<status>Exercise</status>" in as_(Role.LEAD).get(f"/notices/{slug}/cap.xml").get_data(as_text=True)


def test_proxies_may_keep_a_public_page_for_minutes_but_never_what_a_signed_in_reader_got(incident, client, as_):
    _, slug = public(incident)
    reply = client.get(f"/notices/{slug}")
    assert reply.cache_control.public
    assert reply.cache_control.max_age == 300
    again = client.get(f"/notices/{slug}", headers={"If-None-Match": reply.headers["ETag"]})
    assert again.status_code == 304
    assert "public" not in as_(Role.LEAD).get(f"/notices/{slug}").headers.get("Cache-Control", "")


def test_a_reference_is_known_only_once_it_was_sent_or_made_public(incident, client):
    ref = a_notice(incident, stage="approved")
    assert client.get(f"/notices/check?reference={ref}").status_code == 404
    row = notice_row(incident, ref)
    row.stage = "sending"
    db.session.commit()
    reply = client.get(f"/notices/check?reference={ref.lower()}")
    assert reply.status_code == 200
    assert "was sent by us" in reply.get_data(as_text=True)


@pytest.mark.parametrize("reference", ["N-UNKNOWN0", "<script>", "' OR 1=1", "x" * 500])
def test_an_unknown_reference_is_said_to_be_unknown(client, reference):
    reply = client.get("/notices/check", query_string={"reference": reference})
    assert reply.status_code == 404
    assert "We know no notice" in reply.get_data(as_text=True)
    assert "<SCRIPT>" not in reply.get_data(as_text=True)


def test_the_check_page_says_how_to_tell(client):
    page = client.get("/notices/check").get_data(as_text=True)
    assert "never ask for a password" in page


def test_security_txt_names_a_contact_and_its_own_end(app, client):
    app.extensions["settings"].contact_email = "security@example.org"
    try:
        reply = client.get("/.well-known/security.txt")
    finally:
        app.extensions["settings"].contact_email = ""
    assert reply.mimetype == "text/plain"
    told = [line.split(": ", 1) for line in reply.get_data(as_text=True).strip().splitlines()]
    contacts, lines = [value for name, value in told if name == "Contact"], dict(told)
    assert contacts == ["http://localhost/report", "mailto:security@example.org"]
    assert lines["Canonical"] == "http://localhost/.well-known/security.txt"
    assert lines["Preferred-Languages"].split(", ") == list(tip_words.languages())
    assert len(lines) + 1 == len(told)  # but for the contacts no field stands twice (RFC 9116, 2.5)


@pytest.mark.parametrize("tag", tip_words.languages())
def test_security_txt_names_a_language_only_if_the_report_page_speaks_it(client, tag):
    assert f'<html lang="{tag}"' in client.get(f"/report/{tag}").get_data(as_text=True)


def test_security_txt_ends_within_a_year_and_is_kept_no_longer_than_it_is_true(client):
    reply = client.get("/.well-known/security.txt")
    [expires] = [line[9:] for line in reply.get_data(as_text=True).splitlines() if line.startswith("Expires: ")]
    left = datetime.fromisoformat(expires) - clock.now()  # RFC 3339; RFC 9116 2.5.5 advises less than a year
    assert timedelta(days=30) < left < timedelta(days=365)
    assert timedelta(seconds=reply.cache_control.max_age or 0) < left


def test_an_announcement_can_be_had_as_an_alert_that_breaks_nothing_of_the_standard(incident, client):
    _, slug = public(incident, lasts=timedelta(days=90))
    reply = client.get(f"/notices/{slug}/cap.xml")
    assert reply.mimetype == "application/cap+xml"
    assert check(reply.get_data()) == []
    text = reply.get_data(as_text=True)
    assert "<headline>Notice &amp; more</headline>" in text
    assert text.count("<info>") == 2


def test_an_alert_names_the_places_that_were_known_when_it_was_published_and_no_others(app, client):
    case = an_incident(facts={"data_kinds": ["email"], "residents": {"DE": 40, "US-TX": 2, "FR": 0}})
    people.add(
        case.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor=WHO, now=clock.now()
    )
    _, slug = public(case)
    intake.record_facts(case.ref, {"residents": {"JP": 9}}, source="log", confidence="high", actor=WHO, now=clock.now())
    text = client.get(f"/notices/{slug}/cap.xml").get_data(as_text=True)
    assert check(text.encode()) == []
    assert [part.split("<")[0] for part in text.split("<areaDesc>")[1:]] == ["Germany", "Texas", "德国", "得克萨斯州"]
