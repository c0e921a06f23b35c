"""Addresses, names, roles, and who may change whose."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.domain.access import PERMITS, Role, may, visible
from incident.domain.errors import Invalid, Refused
from incident.domain.users import address, as_roles, device, is_fresh, named, regranted, token_end

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "kept"), [(" Ana@Example.ORG ", "ana@example.org"), ("ａna@example.org", "ana@example.org")]
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str):
    assert address(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "ana", "a@b@c", "a b@example.org", "a@example.org\nBcc: x@example.org", f"{'a' * 65}@example.org"]
)
def test_what_is_no_single_address_is_refused(typed: str):
    with pytest.raises(Invalid, match="one mail address"):
        address(typed)


@pytest.mark.parametrize("typed", ["", "   ", "a" * 121, "a\x1b[31mb"])
def test_a_name_is_one_line_of_letters(typed: str):
    with pytest.raises(Invalid):
        named(typed)


def test_a_name_loses_only_its_outer_blanks():
    assert named("  李 明 \n") == "李 明"


def test_roles_come_in_their_order_each_once():
    assert as_roles(["approver", "lead", "lead"]) == ["lead", "approver"]


@pytest.mark.parametrize("words", [[], ["root"], ["lead", "root"], ["auditor", "lead"]])
def test_roles_that_cannot_be_held_are_refused(words: list[str]):
    with pytest.raises(Invalid):
        as_roles(words)


@pytest.mark.parametrize("role", ["approver", "auditor"])
def test_nobody_makes_themselves(role: str):
    wanted = [role] if role == "auditor" else ["administrator", role]
    with pytest.raises(Refused, match=f"Nobody makes themselves an {role}"):
        regranted(["administrator"], wanted, of="U-1", by="U-1", other_administrators=1)


def test_another_administrator_makes_an_approver():
    assert regranted(["lead"], ["lead", "approver"], of="U-2", by="U-1", other_administrators=1) == ["lead", "approver"]


def test_an_approver_who_keeps_the_role_may_change_their_others():
    held = ["administrator", "approver"]
    assert regranted(held, [*held, "lead"], of="U-1", by="U-1", other_administrators=0) == [
        "lead",
        "approver",
        "administrator",
    ]


def test_the_last_administrator_stays_one():
    with pytest.raises(Refused, match="last administrator"):
        regranted(["administrator", "lead"], ["lead"], of="U-1", by="U-1", other_administrators=0)
    assert regranted(["administrator"], ["lead"], of="U-1", by="U-1", other_administrators=1) == ["lead"]


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_lasts_a_year_at_most(days: int):
    with pytest.raises(Invalid):
        token_end(days, NOW)
    assert token_end(365, NOW) == NOW + timedelta(days=365)


def test_a_password_is_fresh_for_a_quarter_of_an_hour():
    assert is_fresh(NOW, NOW + timedelta(minutes=15))
    assert not is_fresh(NOW, NOW + timedelta(minutes=15, seconds=1))


def test_a_device_is_told_in_words_of_ours_alone():
    assert device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0") == "Firefox on Linux"
    assert device("<script>alert(1)</script>") == "A browser on an unknown system"


def test_an_unknown_permit_is_held_by_nobody():
    assert not may("notice.invented", list(Role))


def test_an_administrator_is_not_an_approver_by_that():
    approvals = [
        permit
        for permit, roles in PERMITS.items()
        if Role.APPROVER in roles and permit.endswith((".approve", ".release"))
    ]
    assert not any(may(permit, [Role.ADMINISTRATOR]) for permit in approvals)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("is_member", [False, True])
def test_who_knows_of_an_incident(role: Role, restricted: bool, is_member: bool):
    knows = visible(restricted=restricted, roles=[role], is_member=is_member)
    if role is Role.ADMINISTRATOR:
        assert not knows
    else:
        assert knows is (not restricted or is_member or role is Role.AUDITOR)
