"""Every call of the API, made from its own description, by people of every role: refused in words, and never our mistake."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from apiflask import APIFlask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from schemathesis.generation import GenerationMode
from sqlalchemy import delete
from werkzeug.test import TestResponse

from incident import clock
from incident.actions import members, tokens
from incident.domain.access import PERMITS, Role
from incident.store import throttle
from incident.store.db import db
from incident.store.users import User
from tests.builders import a_user
from tests.full_house import House, a_full_house

REQUESTS, FIRST = (int(word) for word in (*os.environ.get("FUZZ", "").split(), "0", "0")[:2])
"""`make fuzz` sends so many, in rounds of their own; the first round's number is the second word, for running on in pieces."""
A_ROUND = 10_000
ROUNDS = range(FIRST, FIRST + max(1, REQUESTS // A_ROUND))
EVERY = 1 if REQUESTS else 6
"""In the small, each run asks one call in so many; which ones they are goes by the database."""
WAYS = {"get", "post", "put", "patch", "delete"}
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


class Callers:
    """A person of each role on the incident, with a token that is made anew when it was ended."""

    def __init__(self, house: House) -> None:
        self._people: dict[Role, User] = {role: a_user(role) for role in Role}
        self._headers: dict[Role, dict[str, str]] = {}
        for role, user in self._people.items():
            if role not in {Role.AUDITOR, Role.ADMINISTRATOR}:
                members.add(house.incident.ref, user.ref, actor=house.actor, now=clock.now())

    def header(self, role: Role, *, anew: bool = False) -> dict[str, str]:
        """The header of a person of this role."""
        if anew:
            self._people[role] = a_user(role)
        if anew or role not in self._headers:
            ref = self._people[role].ref
            _, secret = tokens.issue(ref, name="fuzz", days=1, actor=ref, now=clock.now())
            self._headers[role] = {"Authorization": f"Bearer {secret}"}
        return self._headers[role]

    def fit(self, permit: str, dice: random.Random) -> Role:
        """Somebody who may, most of the time; else anybody."""
        able = sorted(PERMITS.get(permit, frozenset(Role)))
        return dice.choice(able if able and dice.random() < 0.85 else list(Role))


@pytest.fixture
def calm(app: APIFlask) -> Iterator[APIFlask]:
    """The application as it is in service: a failure is an answer, not an exception in the test."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    app.config["PROPAGATE_EXCEPTIONS"] = None


@pytest.fixture
def house(calm: APIFlask) -> House:
    return a_full_house(calm.extensions["settings"].instance / "files")


@pytest.mark.parametrize("number", ROUNDS)
def test_no_call_made_from_the_description_is_our_mistake(calm: APIFlask, house: House, number: int, capsys: Any):
    turn = 3 * int(db.engine.dialect.name == "postgresql")
    described = list(operations(calm))
    assert len(described) > 150, "the description names the calls"
    each = max(1, min(REQUESTS, A_ROUND) // len(described) // 4)
    dice, callers, answered = random.Random(number), Callers(house), Counter[int]()
    failed: list[str] = []
    while answered.total() < min(REQUESTS, A_ROUND) or not answered:
        chosen = described[turn::EVERY]
        if REQUESTS:
            dice.shuffle(chosen)
        for operation in chosen:
            failed += tried(calm, operation, house, callers, dice, each, answered)
            if answered.total() >= A_ROUND:
                break
    if REQUESTS:
        with capsys.disabled():
            print(f"\nround {number}: {answered.total()} requests, answers {dict(sorted(answered.items()))}")
    assert failed == []


def operations(app: APIFlask) -> Iterator[Any]:
    """Each call of the description, by path and method."""
    schema = schemathesis.openapi.from_dict(app.spec)
    found = [one.ok() for one in schema.get_all_operations()]
    yield from sorted((one for one in found if one.method.lower() in WAYS), key=lambda one: (one.path, one.method))


def tried(
    app: APIFlask,
    operation: Any,
    house: House,
    callers: Callers,
    dice: random.Random,
    each: int,
    answered: Counter[int],
) -> list[str]:
    """What went wrong with one call: made as described and otherwise, about things that there are and others."""
    endpoint = _endpoint(app, operation)
    permit = getattr(app.view_functions[endpoint], "permit", "")
    known = _known(house, endpoint.rpartition(".")[0], operation)
    failed: list[str] = []
    for mode, things in ((RIGHT, known), (WRONG, known), (RIGHT, {}), (WRONG, {})):
        if not REQUESTS and (mode, bool(things)) != (RIGHT, bool(known)) and dice.random() < 0.5:
            continue
        for case in drawn(operation, mode, things, each, dice.randrange(2**32)):
            role = callers.fit(permit, dice)
            answer = called(app, case, callers.header(role))
            if answer is None:
                continue
            answered[answer.status_code] += 1
            if answer.status_code == 401:
                callers.header(role, anew=True)
            if answer.status_code == 429:
                _forget_tries()
            if answer.status_code >= 500:
                failed.append(
                    f"{answer.status} {case.method} {case.formatted_path} {case.query} {str(case.body)[:300]}"
                )
    return failed


def _endpoint(app: APIFlask, operation: Any) -> str:
    path = operation.path
    for argument in operation.path_parameters:
        kind = (argument.definition.get("schema") or {}).get("type")
        path = path.replace(f"{{{argument.name}}}", "1" if kind == "integer" else "x")
    endpoint, _ = app.url_map.bind("localhost").match(path, method=operation.method.upper())
    return str(endpoint)


def _known(house: House, blueprint: str, operation: Any) -> dict[str, Any]:
    """What the house has for the arguments of this call's address."""
    found: dict[str, Any] = {}
    for argument in operation.path_parameters:
        thing = house.incident.ref if argument.name == "incident" else house.thing(blueprint, argument.name)
        if thing is not None:
            found[argument.name] = thing
    return found


def drawn(operation: Any, mode: GenerationMode, things: dict[str, Any], number: int, dice: int) -> list[Any]:
    """So many requests of this kind; none where this kind cannot be made, such as a wrong one of a call without fields."""
    cases: list[Any] = []
    fixed = {"path_parameters": things} if things and len(things) == len(list(operation.path_parameters)) else {}
    try:
        strategy: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=mode, **fixed)
    except Exception:  # schemathesis says in many ways that there is nothing to get wrong
        return cases
    quiet = settings(
        max_examples=number,
        deadline=None,
        database=InMemoryExampleDatabase(),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )

    @seed(dice)
    @quiet
    @given(strategy)
    def draw(case: Any) -> None:
        cases.append(case)

    try:
        draw()
    except Exception:
        return cases
    return cases


def called(app: APIFlask, case: Any, header: dict[str, str]) -> TestResponse | None:
    """The answer of the application to one request; None for one that no client can send."""
    order = case.as_transport_kwargs(base_url="http://localhost")
    wanted = {
        name: value
        for name, value in order.items()
        if name in {"method", "url", "headers", "params", "data", "json", "files"}
    }
    try:
        ready = requests.Request(**wanted).prepare()
        headers = {
            name: str(value)
            for name, value in ready.headers.items()
            if name.lower() not in {"content-length", "authorization"}
        }
    except (ValueError, requests.RequestException):
        return None
    body = ready.body.encode("utf-8", "surrogatepass") if isinstance(ready.body, str) else ready.body or b""
    parts = urlsplit(ready.url or "/")
    client: Callable[..., TestResponse] = app.test_client().open
    try:
        return client(
            parts.path,
            query_string=parts.query,
            method=ready.method,
            data=body,
            headers=headers | header,
            buffered=True,
        )
    except (UnicodeError, ValueError):  # a header that no server can be sent
        return None


def _forget_tries() -> None:
    """So many tries are too many; that is tested elsewhere."""
    with db.engine.begin() as connection:
        connection.execute(delete(throttle.Throttle))
