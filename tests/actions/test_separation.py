"""What one person alone may not do: gain a role, start what they approved, look into a restricted incident unnoticed."""

from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask

from incident import clock
from incident.actions import closing, dispatch, emergencies, intake, members, policies, roles, team_mails
from incident.actions import users as actions
from incident.actions.starting import start_scheduled
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.domain.separation import Policy
from incident.store import members as places
from incident.store import notices, separation, users
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.users import User
from notifiers.contract import Channels, Outcome
from notifiers.memory import Memory
from tests import record
from tests.actions.waves import LEAD, NOW, SANDBOX, a_story, answering
from tests.builders import a_user, an_incident, notice_row

WHY = "Nobody on it answers and data is leaving."
STRONG = "correct horse battery staple"
LEASE = timedelta(seconds=60)


def accept(secret: str) -> str:
    return actions.accept(
        secret, email="", name="Ana", password=STRONG, time_zone="UTC", user_agent="", now=clock.now()
    )


def waiting_for(user: User) -> str:
    found = separation.request_for(user.id, clock.now())
    assert found is not None
    return found.ref


def roles_of(user: User) -> list[str]:
    db.session.rollback()
    return list(users.by_ref(user.ref).roles)


def handed_over():
    """All that is due, handed over twice; what went out."""
    memory = Memory("email")
    for _ in range(2):
        for ref in team_mails.due(clock.now()):
            team_mails.do(
                ref, Channels({"email": memory}, SANDBOX), site="http://localhost", clock=clock.now, lease=LEASE
            )
    return memory.sent


def mailed(kind: str) -> set[str]:
    db.session.rollback()
    return {mail.user.ref for mail in separation.mails() if mail.kind == kind}


# ---------------------------------------------------------------- roles by two


def test_a_role_counts_only_after_the_yes_of_another_person(app: APIFlask):
    boss, second, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD), a_user(Role.RESPONDER)
    ref = actions.change_roles(ana.ref, ["responder", "approver"], actor=boss.ref, now=clock.now())
    assert roles_of(ana) == ["responder"]
    roles.confirm(ref, actor=second.ref, now=clock.now())
    assert roles_of(ana) == ["responder", "approver"]
    line = record.lines()[-1]
    assert (line.verb, line.actor, record.details(line)["asked_by"]) == ("roles.changed", second.ref, boss.ref)


@pytest.mark.parametrize("who", ["asker", "gainer"])
def test_neither_asker_nor_gainer_gives_the_second_yes(app: APIFlask, who: str):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    a_user(Role.LEAD)
    ref = actions.change_roles(ana.ref, ["lead", "approver"], actor=boss.ref, now=clock.now())
    before = len(record.lines())
    with pytest.raises(Refused):
        roles.confirm(ref, actor=boss.ref if who == "asker" else ana.ref, now=clock.now())
    assert roles_of(ana) == ["lead"]
    assert len(record.lines()) == before


def test_an_administrator_cannot_come_by_a_role_alone_not_even_by_inviting_themselves(app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR)
    second = a_user(Role.LEAD)
    actions.change_roles(boss.ref, ["administrator", "lead"], actor=boss.ref, now=clock.now())
    assert roles_of(boss) == ["administrator"]
    _, secret = actions.invite("other@example.org", ["approver"], actor=boss.ref, now=clock.now())
    accept(secret)
    other = users.by_email("other@example.org")
    assert other.roles == []
    with pytest.raises(Refused):
        roles.confirm(waiting_for(other), actor=boss.ref, now=clock.now())
    roles.confirm(waiting_for(other), actor=second.ref, now=clock.now())
    assert roles_of(other) == ["approver"]


def test_a_reset_does_not_hand_the_roles_over_with_the_link(app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD, Role.APPROVER, email="ana@example.org", password=STRONG)
    second = a_user(Role.ADMINISTRATOR)
    accept(actions.reset(ana.ref, actor=boss.ref, now=clock.now()))
    assert roles_of(ana) == []
    with pytest.raises(Refused):
        roles.confirm(waiting_for(ana), actor=boss.ref, now=clock.now())
    roles.confirm(waiting_for(ana), actor=second.ref, now=clock.now())
    assert roles_of(ana) == ["lead"]


def test_losing_a_role_needs_nobody_else_and_ends_what_waited(app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD, Role.PRIVACY)
    a_user(Role.LEAD)
    ref = actions.change_roles(ana.ref, ["lead", "privacy", "approver"], actor=boss.ref, now=clock.now())
    assert actions.change_roles(ana.ref, ["privacy"], actor=boss.ref, now=clock.now()) == ""
    assert roles_of(ana) == ["privacy"]
    with pytest.raises(Refused, match="already"):
        roles.confirm(ref, actor=a_user(Role.LEAD).ref, now=clock.now())


def test_a_yes_does_not_count_for_an_account_that_changed_meanwhile_or_after_two_weeks(app: APIFlask):
    boss, second, ana = a_user(Role.ADMINISTRATOR), a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    ref = actions.change_roles(ana.ref, ["lead", "approver"], actor=boss.ref, now=clock.now())
    with pytest.raises(Refused, match="two weeks"):
        roles.confirm(ref, actor=second.ref, now=clock.now() + timedelta(days=15))
    actions.lock(ana.ref, actor=boss.ref, now=clock.now())
    with pytest.raises(Refused, match="changed since"):
        roles.confirm(ref, actor=second.ref, now=clock.now())
    assert roles_of(ana) == ["lead"]


def test_where_nobody_else_could_say_yes_one_is_enough_and_the_leads_are_told_all_the_same(app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    assert actions.change_roles(ana.ref, ["lead", "approver"], actor=boss.ref, now=clock.now()) == ""
    assert roles_of(ana) == ["lead", "approver"]
    assert mailed("roles_changed") == {ana.ref}


def test_locking_whoever_could_say_yes_leaves_nobody_alone(app: APIFlask):
    boss, ana, lead = a_user(Role.ADMINISTRATOR), a_user(Role.RESPONDER), a_user(Role.LEAD)
    actions.lock(lead.ref, actor=boss.ref, now=clock.now())
    assert mailed("yes_lost") == {lead.ref}
    assert actions.change_roles(ana.ref, ["responder", "approver"], actor=boss.ref, now=clock.now())
    assert roles_of(ana) == ["responder"]


def test_whoever_could_say_yes_and_all_others_who_can_are_told_when_that_ends(app: APIFlask):
    boss, lead, second = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD, Role.PRIVACY), a_user(Role.LEAD)
    actions.change_roles(lead.ref, ["privacy"], actor=boss.ref, now=clock.now())
    assert mailed("yes_lost") == {lead.ref, second.ref}
    actions.change_roles(lead.ref, ["responder"], actor="system", now=clock.now())
    assert mailed("yes_lost") == {lead.ref, second.ref}


def test_a_locked_person_is_told_that_they_are_and_nothing_else(app: APIFlask):
    boss, lead = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD, email="lead@example.org")
    other = a_user(Role.RESPONDER)
    policies.take_up(Policy(roles_by_two=False), actor="system", now=clock.now())
    actions.change_roles(other.ref, ["responder", "privacy"], actor=boss.ref, now=clock.now())
    actions.lock(lead.ref, actor=boss.ref, now=clock.now())
    [mail] = handed_over()
    assert (mail.to, mail.subject) == ("lead@example.org", "Somebody can no longer say yes to roles")


def test_all_leads_are_told_of_a_role_and_those_who_may_answer_of_a_request(app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.RESPONDER)
    first, second = a_user(Role.LEAD), a_user(Role.LEAD)
    ref = actions.change_roles(ana.ref, ["responder", "privacy"], actor=boss.ref, now=clock.now())
    assert mailed("roles_asked") == {first.ref, second.ref}
    roles.confirm(ref, actor=first.ref, now=clock.now())
    assert mailed("roles_changed") == {first.ref, second.ref}


def test_a_mail_goes_out_once_holds_references_alone_and_its_fate_is_recorded(app: APIFlask):
    boss, lead, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD, email="lead@example.org"), a_user(Role.RESPONDER)
    policies.take_up(Policy(roles_by_two=False), actor="system", now=clock.now())
    actions.change_roles(ana.ref, ["responder", "privacy"], actor=boss.ref, now=clock.now())
    [mail] = handed_over()
    assert mail.to == "lead@example.org"
    assert ana.ref in mail.text
    assert "privacy" in mail.text
    assert "Somebody" not in mail.text, "names stay here"
    assert record.details(record.lines()[-1]) | {"to": lead.ref, "state": "accepted"} == record.details(
        record.lines()[-1]
    )


def test_a_mail_whose_worker_died_in_the_call_is_in_doubt_and_not_sent_again(app: APIFlask):
    policies.take_up(Policy(roles_by_two=False), actor="system", now=clock.now())
    ana, _ = a_user(Role.RESPONDER), a_user(Role.LEAD)
    actions.change_roles(ana.ref, ["lead"], actor=a_user(Role.ADMINISTRATOR).ref, now=clock.now())

    class Dies(Memory):
        def send(self, batch):
            raise SystemExit

    ref = team_mails.due(clock.now())[0]
    with pytest.raises(SystemExit):
        team_mails.do(
            ref, Channels({"email": Dies("email")}, SANDBOX), site="http://localhost", clock=clock.now, lease=LEASE
        )
    memory, later = Memory("email"), clock.now() + timedelta(minutes=5)
    assert ref in team_mails.due(later)
    team_mails.do(ref, Channels({"email": memory}, SANDBOX), site="http://localhost", clock=lambda: later, lease=LEASE)
    db.session.rollback()
    assert (separation.mail(ref).state, memory.sent) == ("in_doubt", [])


def test_a_mail_that_the_server_puts_off_waits_and_goes_later(app: APIFlask):
    policies.take_up(Policy(roles_by_two=False), actor="system", now=clock.now())
    a_user(Role.LEAD)
    actions.change_roles(a_user(Role.RESPONDER).ref, ["privacy"], actor=a_user(Role.ADMINISTRATOR).ref, now=clock.now())
    busy = Memory("email", answering(Outcome.LATER))
    [ref] = team_mails.due(clock.now())
    team_mails.do(ref, Channels({"email": busy}, SANDBOX), site="http://localhost", clock=clock.now, lease=LEASE)
    assert team_mails.due(clock.now()) == []
    assert team_mails.due(clock.now() + timedelta(minutes=2)) == [ref]


# ---------------------------------------------------------------- the policy itself


def test_the_policy_stands_in_the_record_whenever_it_changes_and_not_else(app: APIFlask):
    for policy, changed in ((Policy(), True), (Policy(), False), (Policy(release_by_third=True), True)):
        assert policies.take_up(policy, actor="system", now=clock.now()) is changed
    said = [record.details(line) for line in record.lines() if line.verb == "policy.in_force"]
    assert [one["chosen"]["release_by_third"] for one in said] == [False, True]
    assert said[1]["before"]["release_by_third"] is False
    assert separation.policy() == Policy(release_by_third=True)


def test_the_policy_in_force_cannot_be_changed_in_place(app: APIFlask):
    policies.take_up(Policy(), actor="system", now=clock.now())
    with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
        connection.execute(db.text("UPDATE policy_in_force SET chosen = '{}'"))


@pytest.mark.parametrize("releaser", ["U-0AUTHOR0", "U-0APPROV0"])
def test_where_it_is_set_neither_author_nor_approver_starts_the_sending(app: APIFlask, releaser: str):
    story = a_story(2)
    policies.take_up(Policy(release_by_third=True), actor="system", now=NOW)
    before = len(record.lines())
    with pytest.raises(Refused, match="third person"):
        dispatch.start(story.incident.ref, story.notice, only_sandbox=False, pace=None, actor=releaser, now=NOW)
    assert len(record.lines()) == before
    assert notice_row(story.incident, story.notice).stage == "approved"
    assert dispatch.start(story.incident.ref, story.notice, only_sandbox=False, pace=None, actor=LEAD, now=NOW)


def test_where_it_is_not_set_the_author_may_start_what_another_approved(app: APIFlask):
    story = a_story(2)
    assert dispatch.start(story.incident.ref, story.notice, only_sandbox=False, pace=None, actor="U-0AUTHOR0", now=NOW)


def test_where_a_third_person_is_needed_nothing_goes_out_by_itself_and_the_page_says_why(app: APIFlask):
    story = a_story(2)
    policies.take_up(Policy(release_by_third=True), actor="system", now=NOW)
    start_scheduled(story.notice, only_sandbox=False, now=NOW)
    version = notices.version(notice_row(story.incident, story.notice).id, 1)
    assert "third person" in version.reason
    assert record.verbs()[-1] == "dispatch.not_started"


def test_a_rehearsal_is_free_to_all(app: APIFlask):
    story = a_story(2)
    policies.take_up(Policy(release_by_third=True), actor="system", now=NOW)
    assert dispatch.start(story.incident.ref, story.notice, only_sandbox=True, pace=None, actor="U-0AUTHOR0", now=NOW)


# ---------------------------------------------------------------- breaking the glass


@pytest.fixture
def ana(app: APIFlask) -> User:
    return a_user(Role.LEAD)


@pytest.fixture
def closed_room(ana: User) -> Incident:
    """A restricted incident that Ana leads."""
    incident = an_incident(title="Unspoken")
    members.restrict(incident.ref, actor=ana.ref, now=clock.now())
    return incident


def test_an_emergency_opens_it_for_some_hours_and_no_longer(closed_room: Incident, as_):
    bo = a_user(Role.RESPONDER)
    _, until = emergencies.open_(closed_room.ref.lower(), WHY, actor=bo.ref, now=clock.now())
    assert places.has(closed_room.id, bo.id, at=until - timedelta(seconds=1))
    assert not places.has(closed_room.id, bo.id, at=until)
    assert as_(user=bo).get(f"/incidents/{closed_room.ref}").status_code == 200
    for number in emergencies.over(until):
        emergencies.clear(number, until)
    assert not places.has(closed_room.id, bo.id)
    assert record.verbs(closed_room.ref)[-2:] == ["emergency.opened", "member.ended"]


def test_it_is_over_at_its_time_even_if_no_worker_clears_it_away(closed_room: Incident, as_):
    bo = a_user(Role.RESPONDER)
    _, until = emergencies.open_(closed_room.ref, WHY, actor=bo.ref, now=clock.now())
    with time_machine.travel(until + timedelta(seconds=1), tick=False):
        browser = as_(user=bo)
        assert browser.get(f"/incidents/{closed_room.ref}").status_code == 404
        assert "Unspoken" not in browser.get("/incidents/").text
        assert "Unspoken" not in browser.get("/").text


def test_all_leads_are_told_at_once_and_only_those_on_it_learn_which(closed_room: Incident, ana: User):
    other, bo = a_user(Role.LEAD), a_user(Role.RESPONDER)
    emergencies.open_(closed_room.ref, WHY, actor=bo.ref, now=clock.now())
    db.session.rollback()
    told = {mail.user.ref: mail.about.get("incident") for mail in separation.mails()}
    assert told == {ana.ref: closed_room.ref, other.ref: None}


@pytest.mark.parametrize("ref", ["INC-1999-0001", "nonsense", ""])
def test_what_is_not_there_and_what_is_not_restricted_get_the_same_answer(app: APIFlask, closed_room, ref: str):
    plain, bo = an_incident(), a_user(Role.RESPONDER)
    said = set()
    for wanted in (ref, plain.ref):
        with pytest.raises(Invalid) as refusal:
            emergencies.open_(wanted, WHY, actor=bo.ref, now=clock.now())
        said.add((refusal.value.field, refusal.value.sentence))
    assert len(said) == 1


def test_guessing_references_is_slowed_down(closed_room: Incident):
    bo = a_user(Role.RESPONDER)
    for number in range(5):
        with pytest.raises(Invalid):
            emergencies.open_(f"INC-1999-000{number}", WHY, actor=bo.ref, now=clock.now())
    with pytest.raises(Refused, match="Too many"):
        emergencies.open_(closed_room.ref, WHY, actor=bo.ref, now=clock.now())


def test_it_wants_a_reason(closed_room: Incident):
    with pytest.raises(Invalid, match="why"):
        emergencies.open_(closed_room.ref, "because", actor=a_user(Role.RESPONDER).ref, now=clock.now())


def opened(incident: Incident, user: User) -> str:
    emergencies.open_(incident.ref, WHY, actor=user.ref, now=clock.now())
    return separation.emergencies(incident.id)[0].ref


def test_whoever_opened_it_does_not_review_it(closed_room: Incident, ana: User):
    bo = a_user(Role.LEAD)
    ref = opened(closed_room, bo)
    with pytest.raises(Refused, match="somebody else"):
        emergencies.review(closed_room.ref, ref, "justified", WHY, actor=bo.ref, now=clock.now())
    emergencies.review(closed_room.ref, ref, "justified", WHY, actor=ana.ref, now=clock.now())
    with pytest.raises(Refused, match="already"):
        emergencies.review(closed_room.ref, ref, "not_justified", WHY, actor=ana.ref, now=clock.now())


def test_an_opening_that_was_not_justified_ends_at_once(closed_room: Incident, ana: User):
    bo = a_user(Role.RESPONDER)
    ref = opened(closed_room, bo)
    emergencies.review(closed_room.ref, ref, "not_justified", WHY, actor=ana.ref, now=clock.now())
    assert not places.has(closed_room.id, bo.id)


def test_the_incident_cannot_be_closed_before_the_review(closed_room: Incident, ana: User):
    def gate():
        db.session.rollback()
        return next(gate for gate in closing.gates(closed_room) if gate.key == "emergencies")

    ref = opened(closed_room, a_user(Role.RESPONDER))
    assert not gate().open
    emergencies.review(closed_room.ref, ref, "justified", WHY, actor=ana.ref, now=clock.now())
    assert gate().open


def test_a_review_is_reminded_of_every_day_until_it_is_done(closed_room: Incident, ana: User):
    ref = opened(closed_room, a_user(Role.RESPONDER))
    assert emergencies.to_remind(clock.now()) == []
    tomorrow = clock.now() + timedelta(hours=25)
    assert emergencies.to_remind(tomorrow) == [ref]
    emergencies.remind(ref, tomorrow)
    emergencies.remind(ref, tomorrow)
    assert mailed("emergency_review") == {ana.ref}
    assert record.verbs(closed_room.ref).count("emergency.reminded") == 1
    emergencies.review(closed_room.ref, ref, "justified", WHY, actor=ana.ref, now=tomorrow)
    assert emergencies.to_remind(tomorrow + timedelta(hours=25)) == []


def test_who_leaves_a_review_open_for_three_days_breaks_no_further_glass(closed_room: Incident, ana: User):
    bo, other = a_user(Role.RESPONDER), an_incident(title="Another")
    members.restrict(other.ref, actor=ana.ref, now=clock.now())
    opened(closed_room, bo)
    later = clock.now() + timedelta(hours=73)
    with pytest.raises(Refused, match="not reviewed in time"):
        emergencies.open_(other.ref, WHY, actor=bo.ref, now=later)


def test_somebody_who_came_in_an_emergency_can_be_made_a_member_and_then_stays(closed_room: Incident, ana: User):
    bo = a_user(Role.RESPONDER)
    _, until = emergencies.open_(closed_room.ref, WHY, actor=bo.ref, now=clock.now())
    members.add(closed_room.ref, bo.ref, actor=ana.ref, now=clock.now())
    assert places.has(closed_room.id, bo.id, at=until + timedelta(days=1))
    assert emergencies.over(until + timedelta(days=1)) == []


def test_an_emergency_member_does_not_count_as_the_one_who_must_stay(closed_room: Incident, ana: User):
    emergencies.open_(closed_room.ref, WHY, actor=a_user(Role.LEAD).ref, now=clock.now())
    with pytest.raises(Refused, match="must stay"):
        members.remove(closed_room.ref, ana.ref, actor=ana.ref, now=clock.now())


def test_what_somebody_does_in_an_emergency_stands_under_their_own_name(closed_room: Incident):
    bo = a_user(Role.RESPONDER)
    emergencies.open_(closed_room.ref, WHY, actor=bo.ref, now=clock.now())
    intake.add_note(closed_room.ref, "Pulled the plug.", actor=bo.ref, now=clock.now())
    assert [(line.verb, line.actor) for line in record.lines(closed_room.ref)][-2:] == [
        ("emergency.opened", bo.ref),
        ("note.added", bo.ref),
    ]
