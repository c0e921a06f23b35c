"""Every route, command and kind of work that changes something does it in a transaction that demands a line; by the source.

`transaction` in actions/ledger.py refuses to commit without a line, and rolls back where the line cannot be written. So it is
enough that nothing else commits, but for the few places named here, and that whatever changes something gets there.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from incident import work
from incident.cli import tocsin

ROOT = Path(__file__).parent.parent
LEDGER = "incident.actions.ledger.transaction"

COMMITS_BY_ITSELF = {
    # where something is committed without a line, and why none is owed
    "incident.actions.ledger._finish": "with the lines",
    "incident.actions.ledger.transaction": "begins what ends there",
    "incident.actions.tokens.note_use": "when a token was last used",
    "incident.store.abode.move_in": "on which machine this database lives",
    "incident.store.claims._writing": "who holds a batch for a minute; beginning and end of its handing over have their lines",
    "incident.store.claims.claim_ahead": "the same",
    "incident.store.claims.keep_leases": "the same",
    "incident.store.db._begin_sqlite": "only looks whether something is to be written",
    "incident.store.feeds.note_use": "when a calendar was last read",
    "incident.store.glances.note": "when somebody last looked at an incident",
    "incident.store.handovers._alone": "who holds a message for a minute",
    "incident.store.leases.hold": "who holds the clock",
    "incident.store.leases.let_go": "the same",
    "incident.store.preflights.claim": "who looks at everybody before a notice goes out; what it comes to has its line",
    "incident.store.preflights.keep": "how far that is",
    "incident.store.reminders.look_again_alone": "when a reminder is looked at next",
    "incident.store.repeats.begin": "that a request may be sent again",
    "incident.store.repeats.forget": "the same",
    "incident.store.repeats.keep": "the same",
    "incident.store.repeats.keep_way": "the same",
    "incident.store.sealed._made": "a key, before anything is sealed by it",
    "incident.store.throttle.take": "a try, counted before anything is looked at",
    "incident.store.tips.note_look": "when the mailbox was looked at",
    "incident.store.tips.note_read": "up to which message; each has its line, and is known again by what it says",
    "incident.store.unsent.forget": "a form that arrived after its session; it was sent again, or thrown away with a line",
    "incident.store.unsent.keep": "a form that arrived after its session: nothing of it was done",
    "incident.store.webhooks.go_past": "up to which line endpoints were told",
    "incident.work.given": "jobs for workers",
    "incident.work.sweep": "the same",
}


@cache
def modules():
    """Every module of ours with its syntax tree, by its dotted name."""
    found = {}
    for path in sorted((ROOT / "incident").rglob("*.py")):
        if "migrations" not in path.parts:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@cache
def functions():
    """Every function and method by its dotted name, with the names that its module knows things by."""
    found = {}
    for module, tree in modules().items():
        known = imported(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                found[f"{module}.{node.name}"] = (node, module, known, "")
            elif isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.FunctionDef):
                        found[f"{module}.{node.name}.{part.name}"] = (part, module, known, node.name)
    return found


def imported(tree):
    """What each name of a module stands for, dotted."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("incident"):
            found |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    return found


def reached_from(name):
    """What a function mentions of ours: whatever is named may be called."""
    node, module, known, own = functions()[name]
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield known.get(part.id, f"{module}.{part.id}")
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            base = part.value.id
            yield (
                f"{module}.{own}.{part.attr}"
                if base == "self"
                else f"{known.get(base, f'{module}.{base}')}.{part.attr}"
            )


def handed_on(name):
    """What a module only hands on, by the name that it has where it is made."""
    module, _, word = name.rpartition(".")
    known = imported_by(module) if module in modules() and name not in functions() else {}
    return handed_on(known[word]) if known.get(word, name) != name else name


@cache
def imported_by(module):
    return imported(modules()[module])


@cache
def all_that_get_there():
    """Every function that may end in a transaction with a line, found backwards from there."""
    methods = {}
    for name in functions():
        methods.setdefault(name.rpartition(".")[0], []).append(name)
    callers = {}
    for name in functions():
        for named in set(reached_from(name)):
            reached = handed_on(named)
            # to name a class may mean to run any of its methods
            for target in (
                [reached]
                if reached in functions() or reached == LEDGER
                else methods.get(reached, ())
                if reached not in modules()
                else ()
            ):
                callers.setdefault(target, set()).add(name)
    found, open_ = set(), [LEDGER]
    while open_:
        for caller in callers.get(open_.pop(), ()):
            if caller not in found:
                found.add(caller)
                open_.append(caller)
    return found


def gets_there(name):
    return name in all_that_get_there()


def name_of(view):
    return f"{view.__module__}.{view.__qualname__}"


CHANGES_NOTHING = {
    # routes that take a body and change nothing
    "breaches.note": "tells the log that a browser kept something out",
    "what_if.suppose": "shows what would be owed",
    "notices.weigh": "looks at a text while it is written",
    "api_notice_languages.weigh": "the same",
    "api_law_update.what_if": "the same",
    "answer_pages.open_": "the browser of who asked remembers what its code opens",
    "answer_pages.close": "and forgets it",
    "tip_pages.open_report": "the browser of a stranger remembers what its code opens",
    "tip_pages.close": "and forgets it",
}


def test_every_route_that_may_change_something_owes_a_line(app):
    quiet = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        and not gets_there(name_of(app.view_functions[rule.endpoint]))
    }
    assert quiet == set(CHANGES_NOTHING)


@pytest.mark.parametrize("kind", work.WORK, ids=lambda kind: kind.name)
def test_every_kind_of_work_owes_a_line(kind):
    assert gets_there(name_of(kind.do))


def commands(group, path=""):
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


WITHOUT_THE_DATABASE = {
    # The library of laws is a folder; the program that takes another version up leaves the line `laws.edition_used`.
    *(
        "laws cases",
        "laws check",
        "laws document",
        "laws evaluate",
        "laws install",
        "laws key",
        "laws pack",
        "laws use",
    ),
    *("grade", "laws version", "people fields", "routes", "settings"),
}


def test_every_command_that_may_change_something_owes_a_line():
    quiet = {name for name, command in commands(tocsin.whole()) if not gets_there(name_of(command.callback))}
    assert quiet == WITHOUT_THE_DATABASE


def test_nothing_else_commits():
    found = set()
    for name, (node, *_) in functions().items():
        text = ast.unparse(node)
        if any(word in text for word in (".commit()", "tocsin_write", "UNAWAITED")):
            found.add(name)
    assert found == set(COMMITS_BY_ITSELF)
