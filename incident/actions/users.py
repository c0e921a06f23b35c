"""Accounts: the first one by a set-up link, all others by invitation; roles, locks, resets, one's own particulars."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from incident.actions import account_mails
from incident.actions import roles as role_acts
from incident.actions.ledger import Ledger, transaction
from incident.actions.signin import Client, refuse, take_try
from incident.domain import second_factor, separation, zones
from incident.domain import users as rules
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.stale import demand_seen
from incident.domain.throttle import network
from incident.store import credentials, feeds, passkeys, reach, sign_on
from incident.store import separation as requests
from incident.store import users as rows
from incident.store.db import db, new_ref
from incident.store.users import Invitation, User

LANGUAGES = ("en", "zh-Hans")
RESET = (
    "your password and second factor were taken off, so that you begin anew by a one-time link from an administrator"
)
SPENT = "This link was used, taken back, or is too old. Ask an administrator for a new one."


def offer_setup(*, now: datetime) -> str | None:
    """The secret of a new set-up link, which ends the ones before; None once there is an administrator."""
    with transaction("system", now) as ledger:
        if rows.holders(Role.ADMINISTRATOR):
            ledger.unchanged()
            return None
        for earlier in rows.open_invitations(now):
            if earlier.email is None:
                earlier.revoked_at = now
        secret, invitation = _invitation(None, rules.as_roles(rules.FIRST_ROLES), "system", now)
        ledger.write("setup.offered", invitation.ref)
    return secret


def invite(email: str, roles: Iterable[str], *, actor: str, now: datetime) -> tuple[str, str]:
    """Invite a person by a one-time link: the invitation's reference, and the link's secret. Raises Invalid."""
    to, wanted = rules.address(email), rules.as_roles(roles)
    with transaction(actor, now) as ledger:
        if rows.by_email(to) is not None:
            raise Invalid("email", "Somebody with this address has an account already.")
        for earlier in rows.open_invitations(now):
            if earlier.email == to:
                earlier.revoked_at = now
                ledger.write("invitation.revoked", earlier.ref)
        secret, invitation = _invitation(to, wanted, actor, now)
        ledger.write("invitation.issued", invitation.ref, roles=wanted)
    return invitation.ref, secret


def take_back(ref: str, *, actor: str, now: datetime) -> None:
    """Take an invitation back. Raises Missing; one that has ended stays as it is."""
    with transaction(actor, now) as ledger:
        invitation = rows.invitation_by_ref(ref)
        if invitation is None or invitation.email is None:
            raise Missing()
        if invitation.accepted_at is not None or invitation.revoked_at is not None:
            ledger.unchanged()
            return
        invitation.revoked_at = now
        ledger.write("invitation.revoked", ref)


def demand_open(secret: str, *, client: Client, now: datetime) -> None:
    """Count a try to type the code of a one-time link. Raises Refused where it opens nothing, with its line; TooMany."""
    take_try(("network", network(client.address)), now=now)
    if rows.invitation_by_key(credentials.key_of(secret), now) is None:
        refuse("unknown", "code_of_link", now)
        raise Refused(SPENT)


def accept(
    secret: str,
    *,
    email: str,
    name: str,
    password: str,
    time_zone: str,
    user_agent: str,
    now: datetime,
    language: str = LANGUAGES[0],
) -> str:
    """Take up an invitation, or set the installation up; the secret of the account's first session. Raises Refused.

    An account that begins anew keeps its language. `email` counts only where the invitation names nobody, which is the first administrator's.
    """
    invitation = _open_invitation(secret, now, locked=False)
    to, called = rules.address(invitation.email or email), rules.named(name)
    zone = _zone(time_zone)
    hashed = _hashed(password, to, called)
    with transaction("public", now) as ledger:
        invitation = _open_invitation(secret, now, locked=True)
        user = _account_for(invitation, to, now)
        is_new, user.name, user.password, user.time_zone = user.id is None, called, hashed, zone
        user.language = language if is_new and language in LANGUAGES else user.language
        invitation.accepted_at = now
        _keep(user)
        session = credentials.new_secret()
        _begin(user, session, user_agent, now)
        if not is_new:
            account_mails.changed(user, "a new password was set for your account by a one-time link", ledger)
        if is_new and invitation.email is not None:
            _invited_into(user, invitation, ledger)
        ledger.write("invitation.accepted", invitation.ref, account=user.ref, roles=user.roles)
    return session


def _invited_into(user: User, invitation: Invitation, ledger: Ledger) -> None:
    """What the invitation offers waits for a second yes where that is set; otherwise the leads are told of it."""
    by = invitation.invited_by
    if role_acts.needs_second_yes(user, by):
        wanted, user.roles = list(user.roles), []
        role_acts.ask(user, wanted, why="invitation", asked_by=by, ledger=ledger)
    else:
        role_acts.tell_leads(user, user.roles, asked_by=by, ledger=ledger, by_two=False)


def create(
    email: str, name: str, roles: Iterable[str], *, password: str = "", actor: str, now: datetime
) -> tuple[str, str]:
    """An account made on the machine itself; its reference, and the secret of a link to set a password where none is given.

    Raises Invalid. The second factor is set up at the first sign-in, as for everybody.
    """
    to, called, wanted = rules.address(email), rules.named(name), rules.as_roles(roles)
    hashed = _hashed(password, to, called) if password else None
    with transaction(actor, now) as ledger:
        if rows.by_email(to) is not None:
            raise Invalid("email", "Somebody with this address has an account already.")
        user = _new(to, wanted, now)
        user.name, user.password = called, hashed
        _keep(user)
        ledger.write("account.created", user.ref, roles=wanted)
        if hashed is not None:
            return user.ref, ""
        secret, invitation = _invitation(to, wanted, actor, now)
        ledger.write("invitation.issued", invitation.ref, roles=wanted)
    return user.ref, secret


def change_roles(ref: str, roles: Iterable[str], *, actor: str, now: datetime, seen: str | None = None) -> str:
    """Give a person other roles. Raises Refused, Invalid, Missing; the same roles change nothing.

    Where a role is gained and a second person has to say yes, nothing changes yet: the reference of the request, else "".
    """
    with transaction(actor, now) as ledger:
        administrators = rows.holders(Role.ADMINISTRATOR, locked=True)
        user = _person(ref)
        others = sum(other.ref != ref for other in administrators)
        wanted = rules.regranted(user.roles, roles, of=ref, by=actor, other_administrators=others)
        if wanted == list(user.roles):
            ledger.unchanged()
            return ""
        versions = {"Roles": (", ".join(user.roles) or "none", ", ".join(wanted) or "none")}
        demand_seen(seen, *sorted(user.roles), versions=versions)
        if separation.gained(user.roles, wanted) and role_acts.needs_second_yes(user, actor):
            return role_acts.ask(user, wanted, why="change", ledger=ledger)
        requests.end_requests(user.id, by=actor, now=now)
        role_acts.give(user, wanted, asked_by=actor, ledger=ledger)
    return ""


def lock(ref: str, *, actor: str, now: datetime) -> None:
    """Close an account: sessions and tokens end at once, its telephone number and device are forgotten. Raises Refused, Missing; a locked one stays as it is."""
    with transaction(actor, now) as ledger:
        administrators = rows.holders(Role.ADMINISTRATOR, locked=True)
        user = _person(ref)
        if not user.active:
            ledger.unchanged()
            return
        if Role.ADMINISTRATOR in user.roles:
            rules.demand_another_administrator(sum(other.ref != ref for other in administrators))
        user.active = False
        _close_ways_in(user, now)
        reach.forget(user.id)
        if separation.lost(user.roles, ()):
            role_acts.tell_of_loss(user, "locked", asked_by=actor, ledger=ledger)
        ledger.write("account.locked", ref)


def unlock(ref: str, *, actor: str, now: datetime) -> None:
    """Open a locked account again; its tokens stay ended. Raises Missing; an open one stays as it is."""
    with transaction(actor, now) as ledger:
        user = _person(ref)
        if user.active:
            ledger.unchanged()
            return
        user.active = True
        ledger.write("account.unlocked", ref)


def reset(ref: str, *, actor: str, now: datetime) -> str:
    """Let a person who lost password or second factor begin anew: the secret of a one-time link. Raises Refused, Missing.

    All ways in end. The account loses the roles of approver and auditor, which an administrator must give anew:
    who holds the link holds the account, and nobody shall become an approver by a reset. Where roles are gained by two
    people, the others wait for a second yes too.
    """
    if ref == actor:
        raise Refused("Nobody resets their own account. Ask another administrator.")
    with transaction(actor, now) as ledger:
        user = _person(ref)
        if not user.active:
            raise Refused("This account is locked; unlock it first.")
        before = list(user.roles)
        kept = [role for role in before if role not in (Role.APPROVER, Role.AUDITOR)]
        user.roles = kept
        if kept and role_acts.needs_second_yes(user, actor):
            user.roles = []
            role_acts.ask(user, kept, why="reset", ledger=ledger)
        user.password = user.totp_secret = None
        user.recovery_codes = []
        passkeys.remove_all(user.id, now)
        sign_on.unbind(user.id)
        _close_ways_in(user, now)
        secret, invitation = _invitation(user.email, user.roles, actor, now)
        account_mails.changed(user, RESET, ledger)
        ledger.write("second_factor.reset", ref, invitation=invitation.ref, before=before, after=user.roles)
    return secret


def change_particulars(
    *, name: str, time_zone: str, language: str, actor: str, now: datetime, seen: str | None = None
) -> None:
    """The actor's own name, time zone and language; `seen` is the mark of these. Raises Invalid, Stale."""
    called, zone = rules.named(name), _zone(time_zone)
    if language not in LANGUAGES:
        raise Invalid("language", "Choose one of the languages offered.")
    with transaction(actor, now) as ledger:
        user = _person(actor)
        if (user.name, user.time_zone, user.language) == (called, zone, language):
            ledger.unchanged()
            return
        stands = (user.name, user.time_zone, user.language)
        labels = ("Name", "Time zone", "Language")
        both = zip(stands, (called, zone, language), strict=True)
        demand_seen(seen, *stands, versions=dict(zip(labels, both, strict=True)))
        user.name, user.time_zone, user.language = called, zone, language
        ledger.write("account.changed", actor, zone=zone, language=language)


def change_password(new: str, *, keep_session: str, actor: str, now: datetime) -> None:
    """The actor's own password, whose present one the caller has just confirmed; all other sessions end. Raises Invalid."""
    user = _person(actor)
    hashed = _hashed(new, user.email, user.name)
    with transaction(actor, now) as ledger:
        user = _person(actor)
        session = rows.session_of(actor, keep_session)
        if session is None or not rules.is_fresh(session.fresh_at, now):
            raise Refused("Give your password again first.")
        user.password = hashed
        rows.end_sessions(user.id, now, but=session.id)
        account_mails.changed(user, "your password was changed", ledger)
        ledger.write("password.changed", actor)


def _invitation(email: str | None, roles: Iterable[str], actor: str, now: datetime) -> tuple[str, Invitation]:
    secret = second_factor.new_recovery_code()  # can be read out over the telephone, where mail is not to be trusted
    lasts = rules.SETUP_LASTS if email is None else rules.INVITATION_LASTS
    invitation = Invitation(
        ref=new_ref("V"), key=credentials.key_of(secret), email=email, roles=[str(role) for role in roles]
    )
    invitation.invited_by, invitation.created_at, invitation.expires_at = actor, now, now + lasts
    db.session.add(invitation)
    return secret, invitation


def new_account(email: str, name: str, ledger: Ledger) -> User:
    """An account with no role, inside the caller's transaction, with its line. Raises Invalid."""
    user = _new(email, [], ledger.now)
    user.name = name
    _keep(user)
    ledger.write("account.created", user.ref, roles=[])
    return user


def invited(user: User, ledger: Ledger) -> str:
    """The secret of a one-time link to an account that has no password yet, inside the caller's transaction."""
    for earlier in rows.open_invitations(ledger.now):
        if earlier.email == user.email:
            earlier.revoked_at = ledger.now
    secret, invitation = _invitation(user.email, user.roles, ledger.actor, ledger.now)
    ledger.write("invitation.issued", invitation.ref, roles=user.roles)
    return secret


def _open_invitation(secret: str, now: datetime, *, locked: bool) -> Invitation:
    invitation = rows.invitation_by_key(credentials.key_of(secret), now, locked=locked)
    if invitation is None:
        raise Refused(SPENT)
    return invitation


def _account_for(invitation: Invitation, email: str, now: datetime) -> User:
    """The account that this invitation opens: a new one, or the one that was reset."""
    if invitation.email is None and rows.holders(Role.ADMINISTRATOR):
        raise Refused("This installation has an administrator already; the set-up link is dead.")
    user = rows.by_email(email, locked=True)
    if user is None:
        return _new(email, invitation.roles, now)
    if user.password is not None or not user.active:
        raise Refused(SPENT)
    return user


def _new(email: str, roles: list[str], now: datetime) -> User:
    return User(ref=new_ref("U"), email=email, roles=list(roles), created_at=now)


def _keep(user: User) -> None:
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        raise Invalid("email", "Somebody with this address has an account already.") from None


def _hashed(password: str, *known: str) -> str:
    credentials.demand_strong(password, known=known)
    return credentials.password_hash(password)


def _begin(user: User, secret: str, user_agent: str, now: datetime) -> None:
    """The first session, which goes on to set up the second factor."""
    device, end = rules.device(user_agent), now + rules.UNFINISHED_LASTS
    rows.begin_session(user, key=credentials.key_of(secret), device=device, now=now, expires_at=end)


def _person(ref: str) -> User:
    user = rows.by_ref(ref, locked=True)
    if user is None:
        raise Missing()
    return user


def _close_ways_in(user: User, now: datetime) -> None:
    rows.end_sessions(user.id, now)
    rows.revoke_tokens(user.id, now)
    feeds.end(user.id, now)
    rows.revoke_invitations(user.ref, now)


def _zone(raw: str) -> str:
    if raw not in zones.known():
        raise Invalid("time_zone", "Choose a time zone from the list, such as Europe/Berlin.")
    return raw
