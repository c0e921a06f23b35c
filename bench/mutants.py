"""How many small mistakes in the record, approval, outbox, clock and cryptography the tests catch.

    python -m bench.mutants [--most 200] [--only clock,crypto] [--within claims] [--seed 1] [--minutes 20] [--named]

200 of each room are drawn unless told, in an order of their own, so that those tried when the minutes are over are a fair sample too.

One mutant is one function with one small mistake: a comparison turned, a number off by one, a call left out, a word changed,
an answer forgotten; sentences are left alone. It is put into the running program in a child process, which then runs the tests that enter that function,
until one fails. A mutant that no test fails is a survivor; `--named` prints each. Tables that a file builds when it is loaded
are left alone, and so is what was read and found to change nothing (alike.toml). The last lines are the shares caught.
"""

import argparse
import ast
import copy
import functools
import gc
import mmap
import os
import pickle
import random
import signal
import sys
import threading
import time
import tomllib
import types
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.mutant_rooms import ROOMS  # noqa: E402

SENTENCE = 3  # blanks; what has more of them is read by people, and a wrong letter in it is no mistake of the program
SLOWEST = 20.0  # seconds that a mutant may take beyond three times what its tests took before

with Path(__file__).with_name("alike.toml").open("rb") as _file:
    ALIKE = {
        (one["file"], one["function"], one["line"], one["what"]): one.get("part", "")
        for one in tomllib.load(_file)["alike"]
    }
    """What changes nothing, and of which part of its line alone, where the line has more of the kind."""
"""Mutants that do the same as the program; each stands there with the reason."""

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One mistake: where, which, and what makes the code of the function that holds it."""

    file: str
    line: int
    function: str
    what: str
    text: str
    part: str
    make: Callable[[], types.CodeType]

    @property
    def changes_nothing(self) -> bool:
        """Whether it was read and found to do the same as the program."""
        return ALIKE.get((self.file, self.function, self.text, self.what)) in {"", self.part}


# Making them ----------------------------------------------------------------------------------------------------------


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in its order."""
    source = path.read_text(encoding="utf-8")
    tree, lines = ast.parse(source), source.splitlines()
    for name, function in _functions(tree):
        for node, change, what in _changes(function):
            line = getattr(node, "lineno", function.lineno)
            make = functools.partial(_made, tree, path, function, node, change)
            text, part = lines[line - 1].strip(), ast.get_source_segment(source, node) or ""
            yield Mutant(str(path.relative_to(ROOT)), line, name, what, text, part, make)


def _made(
    tree: ast.Module, path: Path, function: ast.FunctionDef, node: ast.AST, change: Callable[[ast.AST], ast.AST]
) -> types.CodeType:
    found = _code_of(compile(_with(tree, node, change), str(path), "exec"), function)
    if found is None:
        raise LookupError(f"{path}: {function.name} is not in its own file.")
    return found


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{one.name}", one) for one in node.body if isinstance(one, ast.FunctionDef))


def _changes(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, Callable[[ast.AST], ast.AST], str]]:
    """Each node of a function with what may be done to it and how that is called; its documentation and types are passed over."""
    for statement in function.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        for node in _walked(statement):
            yield from ((node, change, what) for change, what in _changes_of(node))


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, but not the sentence that a refusal says to its reader."""
    yield node
    if not isinstance(node, ast.Raise):
        for below in ast.iter_child_nodes(node):
            yield from _walked(below)


def _changes_of(node: ast.AST) -> Iterator[tuple[Callable[[ast.AST], ast.AST], str]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
        yield _turn, "comparison turned"
    elif isinstance(node, ast.BoolOp):
        yield _other_word, "and for or"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda one: one.operand, "not left out"  # type: ignore[attr-defined]
    elif isinstance(node, ast.BinOp) and type(node.op) in SWAPPED:
        yield _swap, "other sign"
    elif isinstance(node, ast.Constant):
        yield from _other_values(node)
    elif isinstance(node, ast.Return) and node.value is not None and not _is_nothing(node.value):
        yield _forget, "answer forgotten"
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield _pass, "call left out"
    elif isinstance(node, ast.Raise):
        yield _pass, "refusal left out"
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(
        node.test, ast.Compare | ast.BoolOp | ast.UnaryOp
    ):
        yield _unless, "condition turned"
    elif isinstance(node, ast.Continue):
        yield (lambda one: ast.copy_location(ast.Break(), one)), "break for continue"


def _is_nothing(value: ast.expr) -> bool:
    """Whether this is None, or False or 0, of which None is another spelling; their opposites are tried by themselves."""
    return isinstance(value, ast.Constant) and not value.value and not isinstance(value.value, str | bytes)


def _other_values(node: ast.Constant) -> Iterator[tuple[Callable[[ast.AST], ast.AST], str]]:
    value = node.value
    if isinstance(value, bool):
        yield _constant(not value), f"{not value} for {value}"
    elif isinstance(value, int):
        yield _constant(value + 1), f"{value + 1} for {value}"
    elif isinstance(value, str | bytes) and value and (isinstance(value, bytes) or value.count(" ") < SENTENCE):
        yield _constant(_last_turned(value)), f"other word for {value!r}"[:60]


def _last_turned(value: str | bytes) -> str | bytes:
    return value[:-1] + (bytes([value[-1] ^ 1]) if isinstance(value, bytes) else chr(ord(value[-1]) ^ 1))


def _constant(value: object) -> Callable[[ast.AST], ast.AST]:
    return lambda one: ast.copy_location(ast.Constant(value), one)  # type: ignore[arg-type]


def _turn(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Compare)
    return ast.copy_location(
        ast.Compare(node.left, [TURNED[type(node.ops[0])](), *node.ops[1:]], node.comparators), node
    )


def _other_word(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    return ast.copy_location(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values), node)


def _swap(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp)
    return ast.copy_location(ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right), node)


def _forget(node: ast.AST) -> ast.AST:
    return ast.copy_location(ast.Return(ast.copy_location(ast.Constant(None), node)), node)


def _pass(node: ast.AST) -> ast.AST:
    return ast.copy_location(ast.Pass(), node)


def _unless(node: ast.AST) -> ast.AST:
    changed = copy.copy(node)
    changed.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node)  # type: ignore[attr-defined]
    return changed


class _Put(ast.NodeTransformer):
    def __init__(self, place: tuple[int, int, int, int, type], change: Callable[[ast.AST], ast.AST]) -> None:
        self.place, self.change, self.done = place, change, False

    def visit(self, node: ast.AST) -> ast.AST:
        if not self.done and _place(node) == self.place:
            self.done = True
            return self.change(node)
        return self.generic_visit(node)


def _place(node: ast.AST) -> tuple[int, int, int, int, type]:
    where = (getattr(node, name, -1) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))
    return (*where, type(node))  # type: ignore[return-value]


def _with(tree: ast.Module, node: ast.AST, change: Callable[[ast.AST], ast.AST]) -> ast.Module:
    changed = _Put(_place(node), change).visit(copy.deepcopy(tree))
    return ast.fix_missing_locations(changed)  # type: ignore[no-any-return]


def _code_of(module: types.CodeType, function: ast.FunctionDef) -> types.CodeType | None:
    """The code of this function within that of its file: found by name and first line."""
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    waiting = [module]
    while waiting:
        for one in waiting.pop().co_consts:
            if isinstance(one, types.CodeType):
                if (one.co_name, one.co_firstlineno) == (function.name, first):
                    return one
                waiting.append(one)
    return None


# Trying them ----------------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """A pytest plugin that runs the chosen tests once, and then those that enter a function against each of its mutants."""

    chosen: list[Mutant]
    named: bool
    minutes: float
    entered: dict[tuple[str, int], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    caches: list[Any] = field(default_factory=list)
    felled: Counter[int] = field(default_factory=Counter)
    told: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, 4))  # by a child: the test that failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of the usual loop."""
        files = {str(ROOT / one.file) for one in self.chosen}
        self._look(session.items, files)
        self._warm(session.items)
        everything = sorted({number for tests in self.entered.values() for number in tests})
        if self._outcome(session.items, everything, [], None, 1800) != "survived":
            raise RuntimeError("Some test fails in a child although nothing was changed: nothing can be said.")
        live = _live(files)
        self.caches = [one for one in gc.get_objects() if isinstance(one, _CACHED) and _file_of(one) in files]
        until = time.monotonic() + self.minutes * 60
        for mutant in self.chosen:
            if time.monotonic() < until:
                self._try(session.items, mutant, live)
        return True

    def _look(self, items: list[pytest.Item], files: set[str]) -> None:
        """Note which tests enter which function, in a child: what some of them start does not survive a fork."""
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
                for number, item in enumerate(items):
                    began = time.monotonic()
                    with Watched(files) as seen:
                        good = self._passes(item)
                    if good:
                        for key in seen:
                            self.entered[key][number] = time.monotonic() - began
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(dict(self.entered), pipe)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            self.entered.update(pickle.load(pipe))
        os.wait()

    def _warm(self, items: list[pytest.Item]) -> None:
        """Make what lasts a session, such as a migrated database, by running the shortest test that asks for it."""
        taken = {number: seconds for tests in self.entered.values() for number, seconds in tests.items()}
        asking = [number for number in taken if "built" in items[number].fixturenames]  # type: ignore[attr-defined]
        if asking:
            self._passes(items[min(asking, key=taken.__getitem__)])

    def _passes(self, item: pytest.Item) -> bool:
        reports = runtestprotocol(item, nextitem=item.session, log=False)  # type: ignore[arg-type]  # what lasts a session stays
        return not any(report.failed for report in reports)

    def _try(
        self, items: list[pytest.Item], mutant: Mutant, live: dict[tuple[str, int], list[types.FunctionType]]
    ) -> None:
        code = mutant.make()
        key = (str(ROOT / mutant.file), code.co_firstlineno)
        taken = self.entered[key]
        tests = sorted(taken, key=lambda number: taken[number] / (1 + self.felled[number]) ** 2)
        limit = SLOWEST + 3 * sum(taken.values())
        functions = live.get(key, [])
        if any(one.__code__.co_freevars != code.co_freevars for one in functions):
            return  # such as a method that loses its super(): no running function takes that code
        outcome = self._outcome(items, tests, functions, code, limit) if tests else "never entered"
        self.outcomes[mutant.file, outcome] += 1
        if outcome == "caught":
            self.felled[int.from_bytes(self.told)] += 1
        if self.named and outcome not in {"caught", "too slow"}:
            print(f"{outcome}: {mutant.file}:{mutant.line} {mutant.function}: {mutant.what}: {mutant.text}", flush=True)
            print(f"    {_said(self.outcomes)} so far", flush=True)

    def _outcome(
        self,
        items: list[pytest.Item],
        tests: list[int],
        functions: list[types.FunctionType],
        code: types.CodeType | None,
        limit: float,
    ) -> str:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            self._child(items, tests, functions, code)
        until = time.monotonic() + limit
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return "survived" if os.waitstatus_to_exitcode(status) == 0 else "caught"
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "too slow"

    def _child(
        self,
        items: list[pytest.Item],
        tests: list[int],
        functions: list[types.FunctionType],
        code: types.CodeType | None,
    ) -> None:
        survived = False
        try:
            for function in functions:
                function.__code__ = code  # type: ignore[assignment]
            for remembered in self.caches:
                remembered.cache_clear()  # what the whole program had answered before
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
                for number in tests:
                    self.told[:] = number.to_bytes(4)
                    if not self._passes(items[number]):
                        break
                else:
                    survived = True
        finally:
            os._exit(0 if survived else 1)


class Watched:
    """Which functions of these files are entered while it is open, in every thread that begins meanwhile."""

    def __init__(self, files: set[str]) -> None:
        self.files, self.seen = files, set[tuple[str, int]]()

    def _note(self, frame: types.FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename in self.files:
            self.seen.add((code.co_filename, code.co_firstlineno))

    def __enter__(self) -> set[tuple[str, int]]:
        threading.settrace(self._note)
        sys.settrace(self._note)  # told of calls alone, as it asks for no line of what is called
        return self.seen

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]


_CACHED = type(functools.cache(lambda: None))


def _file_of(cached: Any) -> str:
    return str(getattr(getattr(cached.__wrapped__, "__code__", None), "co_filename", ""))


def _live(files: set[str]) -> dict[tuple[str, int], list[types.FunctionType]]:
    gc.unfreeze()
    found = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__code__.co_filename in files:
            found[one.__code__.co_filename, one.__code__.co_firstlineno].append(one)
    return found


def main() -> None:
    """Try what the command line names, and print the shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=200)
    parser.add_argument("--only", default=",".join(ROOMS))
    parser.add_argument("--within", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--named", action="store_true")
    given = parser.parse_args()
    for room in given.only.split(","):
        files = {file: tests for file, tests in ROOMS[room].items() if given.within in file}
        made = [one for file in files for one in mutants(ROOT / file)]
        able = [one for one in made if not one.changes_nothing]
        chosen = random.Random(given.seed).sample(able, min(given.most, len(able)))
        outcomes = _tried(files, chosen, named=given.named, minutes=given.minutes)
        for file in files:
            print(f"  {file}: {_said(Counter({key: n for key, n in outcomes.items() if key[0] == file}))}")
        print(
            f"{room}: {_said(outcomes)}, of {len(able)} there are; {len(made) - len(able)} more change nothing",
            flush=True,
        )


def _tried(
    files: Mapping[str, tuple[str, ...]], chosen: list[Mutant], *, named: bool, minutes: float
) -> Counter[tuple[str, str]]:
    """What became of each mutant, counted by file: all tests of these files are run once, then for each mutant those that enter it."""
    trial = Trial(chosen, named, minutes)
    names = dict.fromkeys(str(ROOT / "tests" / name) for tests in files.values() for name in tests)
    pytest.main(
        ["-o", "addopts=", "-s", "-p", "no:cacheprovider", "-p", "no:terminal", "--database=sqlite", *names],
        plugins=[trial],
    )
    return trial.outcomes


def _said(outcomes: Counter[tuple[str, str]]) -> str:
    words = Counter[str]()
    for (_, outcome), count in outcomes.items():
        words[outcome] += count
    caught, tried = words["caught"] + words["too slow"], words.total()
    return f"{caught} of {tried} caught, {caught / tried:.1%} {dict(words)}" if tried else "none tried"


if __name__ == "__main__":
    main()
