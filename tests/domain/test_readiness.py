"""What would fail on the day: each sign by itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from incident.domain import readiness
from incident.domain.access import Role
from incident.domain.readiness import Channel, Signs, Verdict

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


BOTH = frozenset({"U-1", "U-2"})
READY = Signs(
    holders=dict.fromkeys(Role, BOTH),
    phones={"U-1": ago(3), "U-2": ago(300)},
    names={"U-1": "Ana", "U-2": "Ben"},
    channels=[Channel("email", "smtp", ago(2)), Channel("sms", "twilio", ago(20))],
    languages_spoken={"en": 900},
    languages_written=("en", "de"),
    public_address=True,
    safe_harbour=True,
    domain_says=[("SPF", True), ("DKIM", True), ("DMARC", True)],
    domain_seen_at=ago(9),
    backup_at=ago(0.5),
    checkpoint_at=ago(0.2),
    record_lines=90,
    drills={"data_leak": ago(100)},
    playbooks={"data_leak": "Data leak"},
)


def verdict(word: str, **changes: object) -> Verdict:
    checks = readiness.checked(replace(READY, **changes), NOW)
    return next(check.verdict for check in checks if check.word == word)


def test_an_installation_that_has_all_of_it_is_ready():
    assert {check.verdict for check in readiness.checked(READY, NOW)} == {Verdict.READY}


def test_an_empty_installation_says_what_to_do_for_each_thing_that_fails():
    checks = readiness.checked(Signs(channels=[Channel("email")], company_missing=["name"]), NOW)
    assert all(check.do for check in checks if check.verdict is not Verdict.READY)
    assert checks[0].verdict is Verdict.FAILS
    verdicts = [check.verdict for check in checks]
    assert verdicts == sorted(verdicts, key=list(Verdict).index), "what fails stands first"


@pytest.mark.parametrize(
    ("word", "changes", "expected"),
    [
        ("deputy.lead", {"holders": {**READY.holders, Role.LEAD: frozenset({"U-1"})}}, Verdict.FAILS),
        ("learning", {"improvements_late": 1}, Verdict.LOOK),
        ("learning", {"lessons_waiting": 2}, Verdict.LOOK),
        ("deputy.approver", {"holders": {**READY.holders, Role.APPROVER: frozenset()}}, Verdict.FAILS),
        ("second_yes", {"holders": {**READY.holders, Role.APPROVER: frozenset({"U-1"})}}, Verdict.FAILS),
        ("second_yes", {"holders": {**READY.holders, Role.APPROVER: frozenset({"U-3"})}}, Verdict.READY),
        ("phones", {"phones": {"U-1": ago(3)}}, Verdict.LOOK),
        ("phones", {"phones": {"U-1": ago(3), "U-2": ago(366)}}, Verdict.LOOK),
        ("channel.email", {"channels": [Channel("email")]}, Verdict.FAILS),
        ("channel.push", {"channels": [Channel("push")]}, Verdict.LOOK),
        ("channel.email", {"channels": [Channel("email", "smtp")]}, Verdict.LOOK),
        ("channel.email", {"channels": [Channel("email", "smtp", ago(183))]}, Verdict.LOOK),
        ("domain", {"domain_says": [("SPF", True), ("DKIM", False)]}, Verdict.FAILS),
        ("domain", {"domain_says": [("SPF", None)]}, Verdict.LOOK),
        ("domain", {"domain_seen_at": ago(183)}, Verdict.LOOK),
        ("languages", {"languages_spoken": {"fr": 3}}, Verdict.LOOK),
        ("company", {"company_missing": ["a telephone number"]}, Verdict.FAILS),
        ("address", {"public_address": False}, Verdict.FAILS),
        ("harbour", {"safe_harbour": False}, Verdict.LOOK),
        ("backup", {"backup_at": None}, Verdict.FAILS),
        ("backup", {"backup_at": ago(9)}, Verdict.FAILS),
        ("backup", {"backup_at": ago(3)}, Verdict.LOOK),
        ("checkpoint", {"checkpoint_at": ago(3)}, Verdict.LOOK),
        ("checkpoint", {"checkpoint_at": None, "record_lines": 0}, Verdict.READY),
        ("laws", {"laws_waiting": 2}, Verdict.LOOK),
        ("drill", {"drills": {}}, Verdict.FAILS),
        ("drill", {"drills": {"data_leak": ago(366)}}, Verdict.FAILS),
        ("playbooks", {"playbooks": {"insider": "Insider", "data_leak": "Data leak"}}, Verdict.LOOK),
        ("frozen", {"frozen": True}, Verdict.FAILS),
    ],
)
def test_each_sign_is_judged_by_itself(word, changes, expected):
    assert verdict(word, **changes) is expected


def test_people_are_named_and_numbers_are_not():
    says = next(c.says for c in readiness.checked(replace(READY, phones={"U-1": ago(3)}), NOW) if c.word == "phones")
    assert says == "No proved telephone number: Ben."


def test_the_next_drill_is_a_year_after_the_last_and_today_where_there_was_none():
    assert readiness.next_drill(READY, NOW) == date(2026, 11, 30)
    assert readiness.next_drill(Signs(), NOW) == NOW.date()


def test_days_are_named_and_never_counted_or_written_as_programs_write_them():
    changes = {"backup_at": ago(3), "channels": [Channel("email", "smtp", ago(1))]}
    says = {check.word: check.says for check in readiness.checked(replace(READY, **changes), NOW)}
    assert says["backup"] == "The last one is of 7 Mar 2026."
    assert says["channel.email"] == "Tried on 9 Mar 2026 (smtp)."
    assert says["drill"] == "Held on 30 Nov 2025; the next is due by 30 Nov 2026."
