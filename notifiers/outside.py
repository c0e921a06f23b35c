"""A session that reaches public addresses only, and only under encryption: for addresses that came with somebody's data."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from notifiers import hurried, wire

OUTSIDE_6 = IPv6Network("2000::/3")
"""All that is given out of IPv6; what stands elsewhere is of a machine, a site, or IPv4 in disguise."""
TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 by way of a translator (RFC 6052): the last 32 bits are the number that is reached."""


def session(connections: int, *, hosts: int) -> requests.Session:
    """A session of `wire` for so many hosts, whose connections look at the number behind a name before they are made."""
    fresh = wire.session(connections)
    fresh.mount("https://", _Outside(pool_connections=hosts, pool_maxsize=connections, max_retries=0))
    return fresh


def is_public(address: str) -> bool:
    """Whether this number of a host (IPv4 or IPv6) is one of the public network."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = _behind(found) if isinstance(found, IPv6Address) else found
    return plain.is_global and not plain.is_multicast and (plain.version == 4 or plain in OUTSIDE_6)


def _behind(number: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 number that this one leads to, or itself."""
    if number in TRANSLATED:
        return IPv4Address(int(number) & 0xFFFF_FFFF)
    return number.ipv4_mapped or number.sixtofour or number


class _Connection(HTTPSConnection):
    """Connects to the very number that was looked at; the certificate is checked against the name as ever."""

    response_class = hurried.Answer

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        numbers = self._numbers()
        if not numbers or not all(is_public(number) for number in numbers):
            raise NewConnectionError(self, "this name leads to a network that is not public")
        try:
            for number in numbers[:-1]:
                try:
                    return self._to(number)
                except NewConnectionError:
                    continue
            return self._to(numbers[-1])
        finally:
            self._dns_host = name

    def _numbers(self) -> list[str]:
        try:
            found = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from None
        return list(dict.fromkeys(str(one[4][0]) for one in found))

    def _to(self, number: str) -> socket.socket:
        self._dns_host = number
        return super()._new_conn()


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Outside(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: object) -> None:
        """Pools whose connections look first."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}
