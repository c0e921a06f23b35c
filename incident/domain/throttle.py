"""How many tries a sign-in gives, and how long one then waits. Counted the same for accounts that do not exist."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network


@dataclass(frozen=True)
class Limit:
    """So many tries in a window, then a pause that doubles with every further full round, up to the longest."""

    tries: int
    window: timedelta
    pause: timedelta
    longest: timedelta


@dataclass(frozen=True)
class Tally:
    """The tries under one key: how many, since when, and until when no more are taken."""

    tries: int
    since: datetime
    until: datetime | None = None


LIMITS: dict[str, Limit] = {
    # one account from one network: a forgotten password costs a minute, a guesser a quarter of an hour per try
    "account": Limit(5, timedelta(hours=1), timedelta(minutes=1), timedelta(minutes=15)),
    # one network over all accounts
    "network": Limit(30, timedelta(minutes=15), timedelta(minutes=5), timedelta(minutes=30)),
    # second-factor codes of one account, from wherever: a code has six digits
    "code": Limit(8, timedelta(hours=1), timedelta(minutes=5), timedelta(hours=1)),
    # tries of one account that failed, from wherever: past this its owner is told, and nothing is refused
    "failed": Limit(4, timedelta(hours=1), timedelta(hours=1), timedelta(hours=1)),
    "failed_code": Limit(2, timedelta(hours=1), timedelta(hours=1), timedelta(hours=1)),
    # what one person has sent to themselves: codes to a phone number, tests
    "to_oneself": Limit(6, timedelta(hours=1), timedelta(minutes=5), timedelta(hours=1)),
    # restricted incidents opened in an emergency by one person, wrong references too
    "emergency": Limit(5, timedelta(hours=1), timedelta(minutes=10), timedelta(hours=2)),
    # people of incidents seen in clear, and searched for, by one member of the team
    "reveal": Limit(60, timedelta(hours=1), timedelta(minutes=2), timedelta(minutes=30)),
    "find": Limit(120, timedelta(hours=1), timedelta(minutes=2), timedelta(minutes=30)),
    # proofs of notice by one member of the team: each shows somebody's text in clear
    "proof": Limit(30, timedelta(hours=1), timedelta(minutes=5), timedelta(hours=1)),
    # lines about what one person was refused; what comes beyond is refused as well, without a line
    "refused": Limit(10, timedelta(hours=1), timedelta(minutes=30), timedelta(hours=1)),
    # what one network asks on the page where notices are checked, and what is asked with one person's own code
    "check_network": Limit(30, timedelta(hours=1), timedelta(minutes=2), timedelta(minutes=30)),
    "check_code": Limit(12, timedelta(hours=1), timedelta(minutes=5), timedelta(hours=1)),
    # codes by which answers are read, tried by one network
    "answer_code": Limit(30, timedelta(minutes=15), timedelta(minutes=2), timedelta(minutes=30)),
    # a calendar reading one feed, and one network asking for feeds that there are not
    "feed": Limit(60, timedelta(minutes=15), timedelta(minutes=5), timedelta(minutes=15)),
    # reports and messages by strangers, and codes of reports that are tried, by one network
    "tip": Limit(20, timedelta(hours=1), timedelta(minutes=2), timedelta(minutes=30)),
    "tip_code": Limit(30, timedelta(minutes=15), timedelta(minutes=2), timedelta(minutes=30)),
    "feed_network": Limit(30, timedelta(minutes=15), timedelta(minutes=5), timedelta(minutes=30)),
}


def waits_until(tally: Tally | None, now: datetime) -> datetime | None:
    """When the next try is taken, or None when it is taken now."""
    if tally is None or tally.until is None or tally.until <= now:
        return None
    return tally.until


def counted(tally: Tally | None, limit: Limit, now: datetime) -> Tally:
    """The tally with one more try. Past the limit every try starts a pause, each twice as long as the one before."""
    if tally is None or now - max(tally.since, tally.until or tally.since) > limit.window:
        tally = Tally(0, now)
    tries = tally.tries + 1
    over = tries - limit.tries
    if over < 0:
        return Tally(tries, tally.since)
    pause = min(limit.pause * 2 ** min(over, 16), limit.longest)
    return Tally(tries, tally.since, now + pause)


def area(address: str | None) -> str:
    """The wider network of a client's address, which mostly stays when it is given another: /16, and /32 for IPv6."""
    try:
        parsed = ip_address(network(address))
    except ValueError:
        return ""
    return str(ip_network((parsed, 32 if isinstance(parsed, IPv6Address) else 16), strict=False))


def network(address: str | None) -> str:
    """The part of a client's address that stays when the client changes the rest at will: /64 for IPv6."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
