"""Everybody is looked at before a notice goes out; what is found holds as long as nothing changed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident.actions import correcting, duplicates, notices, people, preflight
from incident.domain.errors import Invalid
from incident.domain.people import Audience
from incident.domain.preflight import Verdict
from incident.store import audiences, preflights
from incident.store import people as registry
from incident.store.db import db
from notifiers.contract import Channels
from notifiers.memory import Memory
from tests.actions.waves import SANDBOX
from tests.builders import WHO_WRITES, a_notice, a_text, an_incident, notice_row

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)  # a Friday afternoon
WHO = "U-0AUTHOR0"
REAL = Channels({"email": Memory("email"), "sms": Memory("sms")}, SANDBOX)


@pytest.fixture
def incident(app):
    return an_incident(now=NOW)


def add(incident, **values):
    given = {"name": "Ana", "email": "ana@example.org", "place": "DE", "exposed": "email", "language": "en"} | values
    return people.add(incident.ref, {k: v for k, v in given.items() if v}, actor=WHO, now=NOW)


def checked(incident, ref, channels=REAL, **options):
    run = preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    preflight.check(run, channels, house=WHO_WRITES, clock=lambda: NOW, **options)
    return standing(incident, ref, channels)


def standing(incident, ref, channels=REAL, now=NOW, **options):
    db.session.rollback()
    db.session.expire_all()
    return preflight.standing(incident, notice_row(incident, ref), channels, hurdles=0, now=now, **options)


def look(found, what):
    [result] = [one for one in found.results if one.what == what]
    return result


def numbers(incident, ref, what):
    return preflight.listed(incident, notice_row(incident, ref), what)


def verbs():
    return list(db.session.scalars(text("SELECT verb FROM audit_line WHERE verb LIKE 'preflight.%' ORDER BY seq")))


def test_a_text_with_a_value_for_everybody_stands(incident):
    add(incident)
    found = checked(incident, a_notice(incident))
    assert found.holds
    assert look(found, "gaps").verdict is Verdict.STANDS
    assert verbs() == ["preflight.asked", "preflight.finished"]


def test_whoever_lacks_a_value_is_counted_listed_and_keeps_the_notice_back(incident):
    add(incident)
    add(incident, name="", email="b@example.org")
    add(incident, name="", email="c@example.org", exposed="")
    ref = a_notice(incident)
    found = checked(incident, ref)
    assert found.verdict is Verdict.BLOCKS
    assert look(found, "gap.person.name").people == 2
    assert look(found, "gap.person.exposed").people == 1
    assert numbers(incident, ref, "gap.person.name") == [2, 3]
    assert numbers(incident, ref, "gap.person.exposed") == [3]


def test_only_what_the_text_asks_for_is_missed(incident):
    add(incident, name="", email="b@example.org")
    plain = a_text(greeting="Good day,", call="Call us.")
    assert look(checked(incident, a_notice(incident, texts=(plain,))), "gaps").verdict is Verdict.STANDS


def test_each_way_says_who_lacks_it_and_lists_them(incident):
    add(incident)
    add(incident, email="", phone="+4915112345001")
    add(incident, email="", reference="C-3")
    ref = a_notice(incident)
    found = checked(incident, ref)
    assert (look(found, "way.email").people, look(found, "way.sms").people) == (2, 2)
    assert numbers(incident, ref, "no.email") == [2, 3]
    assert numbers(incident, ref, "no.sms") == [1, 3]
    assert (look(found, "unreached").people, numbers(incident, ref, "no.way")) == (1, [3])


def test_a_channel_that_is_not_set_up_is_named(incident):
    add(incident)
    found = checked(incident, a_notice(incident, channels=("email", "push")))
    assert look(found, "way.push").verdict is Verdict.WARNS
    assert "not set up" in look(found, "way.push").sentence


def test_addresses_as_no_provider_takes_them_are_found(incident):
    add(incident)
    add(incident, email="müller@example.org")
    ref = a_notice(incident)
    assert look(checked(incident, ref), "bad.email").people == 1
    assert numbers(incident, ref, "bad.email") == [2]


def test_people_who_read_a_language_without_a_text_are_listed(incident):
    add(incident)
    add(incident, email="b@example.org", language="fr")
    ref = a_notice(incident)
    found = checked(incident, ref)
    assert look(found, "language.fr").people == 1
    assert numbers(incident, ref, "language.fr") == [2]


def test_postal_addresses_that_may_not_arrive_are_found_with_their_reason(incident):
    add(incident, address="Sample Street 1\n10115 Berlin")
    add(incident, email="b@example.org", address="Sample Street 1\nBerlin")
    add(incident, email="c@example.org", address="Berlin")
    ref = a_notice(incident, channels=("email", "letter"))
    found = checked(incident, ref)
    assert look(found, "letter.postcode").people == 2
    assert numbers(incident, ref, "letter.postcode") == [2, 3]
    assert numbers(incident, ref, "letter.lines") == [3]


def test_text_messages_are_weighed_for_each_person_by_where_they_live(incident):
    said = a_text(sms="{{ person.name }}: " + "x" * 150)
    add(incident, name="Bo", email="", phone="+4915112345001")  # 154 letters
    add(incident, name="Annamaria", email="", phone="+4915112345002")  # 161 letters: two segments
    add(incident, name="Zoë Ш", email="", phone="+15105550123", place="US-CA")  # UCS-2: three of 67
    found = checked(incident, a_notice(incident, channels=("sms", "email"), texts=(said,)))
    assert "6 segments if all 3 people" in look(found, "sms.segments").sentence
    assert found.run.found["texts"] == {"DE": [2, 3, 161], "US": [1, 3, 157]}
    assert "Ш" in look(found, "sms.en").sentence


def test_the_cost_is_that_of_the_segments_by_country(incident):
    add(incident, email="", phone="+4915112345001")
    ref = a_notice(incident, channels=("sms", "email"))
    checked(incident, ref)
    found = standing(incident, ref, cost=lambda segments: f"{segments}")
    assert "That costs {'DE': 1}." in look(found, "sms.segments").sentence


def test_texts_that_would_come_at_night_wait_and_say_until_when(incident):
    add(incident, email="", phone="+4915112345001", place="DE")
    add(incident, email="", phone="+81312345678", place="JP")
    ref = a_notice(incident, channels=("sms", "email"))
    found = look(standing(incident, ref), "quiet.sms")  # 17:00 in Berlin, 01:00 on Saturday in Tokyo
    assert (found.verdict, found.people) == (Verdict.WARNS, 1)
    assert found.until == datetime(2026, 3, 7, 0, 0, tzinfo=UTC)
    urgent = look(standing(incident, ref, at_any_hour=True), "quiet.sms")
    assert "urgent" in urgent.sentence
    assert urgent.until is None
    noon = look(standing(incident, ref, now=NOW - timedelta(hours=8)), "quiet.sms")
    assert noon.verdict is Verdict.STANDS


def test_the_domain_of_the_sender_is_looked_up_only_for_real_mail(incident):
    add(incident)
    asked = []

    def dns(name):
        asked.append(name)
        return {"example.org": ["v=spf1 -all"], "_dmarc.example.org": ["v=DMARC1; p=none"]}.get(name, [])

    ref = a_notice(incident)
    house = WHO_WRITES.__class__(WHO_WRITES.company, WHO_WRITES.site, WHO_WRITES.zone, {"email": "a@example.org"})
    run = preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    preflight.check(run, REAL, house=house, clock=lambda: NOW, selectors=("k1",), lookup=dns)
    found = standing(incident, ref)
    assert look(found, "domain.SPF").verdict is Verdict.STANDS
    assert look(found, "domain.DKIM").verdict is Verdict.WARNS
    assert asked == ["example.org", "k1._domainkey.example.org", "_dmarc.example.org"]
    asked.clear()
    assert look(checked(incident, ref, Channels({}, SANDBOX), lookup=dns), "domain").verdict is Verdict.UNKNOWN
    assert asked == []


def test_a_dns_that_does_not_answer_is_no_verdict(incident):
    add(incident)
    ref = a_notice(incident)
    house = WHO_WRITES.__class__(WHO_WRITES.company, WHO_WRITES.site, WHO_WRITES.zone, {"email": "a@example.org"})
    run = preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    preflight.check(run, REAL, house=house, clock=lambda: NOW, selectors=("k1",), lookup=lambda name: None)
    assert {look(standing(incident, ref), f"domain.{name}").verdict for name in ("SPF", "DKIM", "DMARC")} == {
        Verdict.UNKNOWN
    }


@pytest.mark.parametrize("change", ["text", "people", "record"])
def test_a_check_holds_until_something_it_depends_on_changes(incident, change):
    person = add(incident)
    ref = a_notice(incident)
    assert checked(incident, ref).holds
    if change == "text":
        kept = notice_row(incident, ref)
        wanted = notices.Change(
            kept.title, ("en",), ("email",), preflight.Audience(), None, {"en": a_text(subject="Another")}
        )
        notices.save(incident.ref, ref, wanted, revision=kept.revision, actor=WHO, now=NOW)
    elif change == "people":
        add(incident, email="b@example.org")
    else:
        correcting.correct(incident.ref, person, {"name": "Anna"}, reason="Misspelt", version=1, actor=WHO, now=NOW)
    found = standing(incident, ref)
    assert not found.holds
    assert [one.what for one in found.results if one.what.startswith("gap")] == []


def test_a_correction_in_another_incident_changes_nothing_here(incident):
    add(incident)
    other = an_incident(now=NOW)
    person = people.add(other.ref, {"name": "Bo", "email": "bo@example.org"}, actor=WHO, now=NOW)
    ref = a_notice(incident)
    checked(incident, ref)
    correcting.correct(other.ref, person, {"name": "Bob"}, reason="Misspelt", version=1, actor=WHO, now=NOW)
    assert standing(incident, ref).holds


def people_of(incident, numbers):
    """Ids of the people with these numbers."""
    query = text("SELECT id, number FROM person WHERE incident_id = :incident")
    found = {id_ for id_, number in db.session.execute(query, {"incident": incident.id}) if number in numbers}
    db.session.rollback()
    return found


def test_a_check_that_runs_is_not_doubled(incident):
    add(incident)
    ref = a_notice(incident)
    first = preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    assert preflight.ask(incident.ref, ref, actor=WHO, now=NOW) == first
    assert preflight.due(NOW) == [first]
    preflight.check(first, REAL, house=WHO_WRITES, clock=lambda: NOW)
    assert preflight.due(NOW) == []
    assert preflight.ask(incident.ref, ref, actor=WHO, now=NOW) != first


def test_a_worker_that_died_is_followed_by_one_that_goes_on_where_it_stopped(incident, monkeypatch):
    for number in range(5):
        add(incident, name="" if number % 2 else "Ana", email=f"p{number}@example.org")
    monkeypatch.setattr(preflight, "AT_ONCE", 2)
    ref = a_notice(incident)
    run = preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    moments = iter([NOW] * 4)

    def dying():
        try:
            return next(moments)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        preflight.check(run, REAL, house=WHO_WRITES, clock=dying)
    half = preflights.anywhere(run)
    assert (half.state, half.checked) == ("running", 4)
    assert preflight.due(NOW) == []  # its lease lasts
    later = NOW + timedelta(minutes=2)
    assert preflight.due(later) == [run]
    preflight.check(run, REAL, house=WHO_WRITES, clock=lambda: later)
    found = standing(incident, ref)
    assert (found.run.state, found.run.checked) == ("done", 4 + 1)
    assert numbers(incident, ref, "gap.person.name") == [2, 4]
    assert look(found, "gap.person.name").people == 2


def test_records_that_kill_whoever_looks_at_them_are_found_passed_by_and_named(incident, monkeypatch):
    for number in range(1, 61):
        add(incident, email=f"p{number}@example.org")
    monkeypatch.setattr(preflight, "AT_ONCE", 20)
    opened, killers = people.addressees, people_of(incident, {13, 14, 45})

    def deadly(incident_id, ids):
        if killers & set(ids):
            raise KeyboardInterrupt
        return opened(incident_id, ids)

    monkeypatch.setattr(people, "addressees", deadly)
    ref = a_notice(incident)
    run = preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    at, deaths = NOW, 0
    while preflight.due(at):
        try:
            preflight.check(run, REAL, house=WHO_WRITES, clock=lambda at=at: at)
        except KeyboardInterrupt:
            deaths += 1
        at += timedelta(minutes=2)
    found = standing(incident, ref)
    assert (found.run.state, found.run.checked, found.run.deaths) == ("done", 60, 0)
    assert numbers(incident, ref, "poison") == [13, 14, 45]
    assert look(found, "poison").verdict == "warns"
    assert deaths <= 15  # two of ever fewer records and three of each alone


def test_whoever_was_too_slow_writes_nothing_any_more(incident):
    add(incident)
    run = preflight.ask(incident.ref, a_notice(incident), actor=WHO, now=NOW)
    slow = preflights.claim(run, now=NOW)
    fast = preflights.claim(run, now=NOW + timedelta(minutes=2))
    assert (slow.fence, fast.fence) == (1, 2)
    assert not preflights.keep(slow, cursor=1, checked=1, found={}, listed=[("bad.email", 1)], now=NOW)
    assert preflights.listed(slow.id, "bad.email") == []


def test_a_draft_that_changed_meanwhile_is_not_checked(incident):
    add(incident)
    ref = a_notice(incident)
    run = preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    kept = notice_row(incident, ref)
    wanted = notices.Change(kept.title, ("en",), ("email",), preflight.Audience(), None, {"en": a_text()})
    notices.save(incident.ref, ref, wanted, revision=kept.revision, actor=WHO, now=NOW)
    preflight.check(run, REAL, house=WHO_WRITES, clock=lambda: NOW)
    assert standing(incident, ref).run.state == "failed"
    assert verbs() == ["preflight.asked", "preflight.broken_off"]


def test_many_names_are_never_opened_while_somebody_waits(incident, monkeypatch):
    monkeypatch.setattr(preflight, "IN_A_REQUEST", 1)
    add(incident)
    add(incident, name="", email="b@example.org")
    ref = a_notice(incident)
    submit = lambda: notices.submit(  # noqa: E731
        incident.ref, ref, revision=notice_row(incident, ref).revision, house=WHO_WRITES, actor=WHO, now=NOW
    )
    with pytest.raises(Invalid, match="being looked at") as refusal:
        submit()
    assert refusal.value.field == "preflight"
    [run] = preflight.due(NOW)
    preflight.check(run, REAL, house=WHO_WRITES, clock=lambda: NOW)
    with pytest.raises(Invalid, match="1 person has no value"):
        submit()
    correcting.correct(incident.ref, "P-2", {"name": "Bo"}, reason="Name found", version=1, actor=WHO, now=NOW)
    with pytest.raises(Invalid, match="being looked at"):
        submit()
    [run] = preflight.due(NOW)
    preflight.check(run, REAL, house=WHO_WRITES, clock=lambda: NOW)
    assert submit() == 1


def test_the_digest_is_that_of_the_people_who_will_be_approved(incident):
    add(incident)
    ref = a_notice(incident, stage="submitted")
    found = checked(incident, ref)
    db.session.rollback()
    version = notices.rows.version(notice_row(incident, ref).id, 1)
    assert found.run.people_digest == version.contents["audience"]["digest"]


def test_records_that_do_not_open_are_listed_and_keep_nobody_back(incident):
    add(incident)
    add(incident, email="b@example.org")
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE person SET sealed = :box WHERE number = 1"), {"box": b"\x00" * 40})
    ref = a_notice(incident, texts=(a_text(greeting="Good day,", call="Call us."),))
    found = checked(incident, ref)
    assert numbers(incident, ref, "unreadable") == [1]
    assert found.run.checked == 2


def test_lists_of_older_checks_are_dropped_and_their_figures_stay(incident):
    add(incident, name="")
    ref = a_notice(incident)
    ids = []
    for _ in range(3):
        ids.append(checked(incident, ref).run.id)
    preflight.ask(incident.ref, ref, actor=WHO, now=NOW)
    assert [bool(preflights.listed(id_, "gap.person.name")) for id_ in ids] == [False, False, True]
    assert db.session.get(preflights.Preflight, ids[0]).found["people"] == {"gap.person.name": 1}


def test_the_tally_is_enough_for_people_of_every_kind(incident):
    add(incident)
    ref = a_notice(incident)
    ground = preflight.ground_of(incident, notice_row(incident, ref), REAL, hurdles=0, now=NOW)
    assert ground.people == sum(group.n for group in registry.tallies(incident.id))


def test_a_household_is_held_back_and_counted_until_somebody_decides_and_then_each_is_told(incident):
    for name in ("Ana", "Ben", "Cem"):
        add(incident, name=name, email="family@example.org")
    add(incident, name="Dee", email="ana.two@example.org", place="FR")
    add(incident, name="Eli", email="ana.two@example.org", place="FR")
    ref = a_notice(incident, channels=("email",), audience=Audience(places=("DE",)), now=NOW)
    held = look(standing(incident, ref), "duplicates")
    assert (held.verdict, held.people) == (Verdict.WARNS, 2)  # Eli is not of this audience
    assert numbers(incident, ref, held.listed) == [2, 3]
    duplicates.keep_apart(incident.ref, actor=WHO, now=NOW)
    found = standing(incident, ref)
    assert not [one for one in found.results if one.what == "duplicates"]
    assert audiences.counted(incident.id, Audience(places=("DE",)))[0].people == 3
