"""Every text of the interface that has to be in each language, gathered from where it stands; `make words` writes the catalogues anew.

What is new comes in without a text, what is gone goes; nothing that was translated is changed.
"""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import EnumMeta
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from incident.domain import enisa, preflight
from incident.domain.access import PERMITS
from incident.domain.retention import RULES
from incident.exports.catalogue import BELOW, FILES, LAWS, PLACE
from incident.settings import Settings
from tests.words_elsewhere import EVERYTHING

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
ENVIRONMENT = Environment(autoescape=True, extensions=[])
PAGES = sorted(
    path
    for path in TEMPLATES.rglob("*.html")
    if path.relative_to(TEMPLATES).parts[0] not in {"messages", "public", "exports"}
)
"""The pages of the team; what outsiders read is in the language of the notice, by `templates/messages`."""
MARKS = {"_", "Word"}
REFUSALS = {
    "flash": 0,
    "answer": 1,
    "changed": 1,
    "refuse": 0,
    "Refused": 0,
    "Invalid": 1,
    "Missing": 0,
    "Unreadable": 0,
    "Stale": 0,
    "TooMany": 0,
    "TooSoon": 0,
    "Unfit": 2,
}
"""What says a sentence to the reader (a refusal, a word of thanks), and which argument that is; pages show it through `said`."""
ROOMS = ("domain", "store", "actions", "exports", "web")
SPOKEN = ("domain", "actions", "exports")
"""Rooms in which a text is said by a `say`."""
MAILED = ("locked", "changed", "replaced without the old one's signature, for that was lost", "shut", "opened again")
"""What became of a thing, as mails to the team say it."""
TABLES = (
    "incident.actions.readiness:COMPANY",
    "incident.actions.throttled:TOO_MANY",
    "incident.domain.access:MEANING",
    "incident.domain.access:Role",
    "incident.domain.addresses:DOUBT_WORDS",
    "incident.domain.calls:WORDS",
    "incident.domain.calls:MEANINGS",
    "incident.domain.calls:WHY_WORDS",
    "incident.domain.clock:COUNTED",
    "incident.domain.closing:GATES",
    "incident.domain.closing:QUESTIONS",
    "incident.domain.deliveries:WORDS",
    "incident.domain.deliveries:COURSES",
    "incident.domain.deliveries:PAUSE_WORDS",
    "incident.domain.drills:KIND_WORDS",
    "incident.domain.enisa:MEANING",
    "incident.domain.enquiries:KIND_WORDS",
    "incident.domain.enquiries:SOURCE_WORDS",
    "incident.domain.enquiries:STATE_WORDS",
    "incident.domain.enquiries:RIGHT_WORDS",
    "incident.domain.erasures:WHY",
    "incident.domain.exposure:_EXPOSED",
    "incident.domain.errors:NOTHING_HERE",
    "incident.domain.filings:CHANNEL_LABELS",
    "incident.domain.guests:CAPACITIES",
    "incident.domain.guests:PART_WORDS",
    "incident.domain.imports:REASON_WORDS",
    "incident.web.imports:DELIMITER_WORDS",
    "incident.domain.imports:DOUBT_WORDS",
    "incident.domain.imports:DATE_ORDERS",
    "incident.domain.ladders:PROOF_WORDS",
    "incident.domain.laws:RECIPIENTS",
    "incident.domain.laws:CHANNELS",
    "incident.domain.laws:FORMS",
    "incident.domain.letters:STAGE_WORDS",
    "incident.domain.letters:CARRIES",
    "incident.domain.letters:RETURN_WORDS",
    "incident.domain.lookups:WORDS",
    "incident.domain.musts:ELEMENTS",
    "incident.domain.musts:CHANNELS",
    "incident.domain.musts:PLACES",
    "incident.domain.notices:TABLE",
    "incident.domain.outlets:WORDS",
    "incident.domain.people:STATE_WORDS",
    "incident.domain.people:AGE_WORDS",
    "incident.domain.phrases:ENGLISH",
    "incident.domain.plans:DAYS",
    "incident.domain.plans:FROM_OPENING",
    "incident.domain.plans:HOURS",
    "incident.domain.plans:ONE_HOUR",
    "incident.domain.plans:FROM_FACT",
    "incident.domain.plans:PHASE_WORDS",
    "incident.domain.postings:WORDS",
    "incident.domain.preflight:ONE_PERSON",
    "incident.domain.preflight:PEOPLE",
    "incident.domain.preflight:WAYS",
    "incident.domain.preflight:FIELDS",
    "incident.domain.pretences:WORDS",
    "incident.domain.privilege:BASES",
    "incident.domain.reasons:KNOWN",
    "incident.domain.reminders:WORDS",
    "incident.domain.reviews:GROUPS",
    "incident.domain.reviews:MEANINGS",
    "incident.domain.revealing:WHY",
    "incident.domain.revealing:PARTS",
    "incident.domain.scales:CAPTIONS",
    "incident.domain.settlements:BECAME",
    "incident.domain.sign_on:NOT_LET_IN",
    "incident.domain.scales:LEVELS",
    "incident.domain.severity:CAPTIONS",
    "incident.domain.severity:_CONFIDENTIALITY",
    "incident.domain.severity:_NO_INTENT",
    "incident.domain.tips:LABELS",
    "incident.domain.verbs:VERBS",
    "incident.domain.account_mails:BROWSER",
    "incident.domain.account_mails:NETWORK",
    "incident.domain.team_mails:SUBJECTS",
    "incident.domain.team_mails:TEXTS",
    "incident.domain.webhooks:WORDS",
    "incident.domain.wording:PERSON",
    "incident.domain.wording:HOUSE",
    "incident.domain.wording:REMEDY",
    "incident.actions.account_mails:CONNECTED",
    "incident.actions.roles:SECOND",
    "incident.actions.alert_targets:WHY",
    "incident.actions.emergencies:VERDICTS",
    "incident.actions.public_tasks:TITLES",
    "incident.actions.reach:SAID",
    "incident.actions.returned:VERDICT_WORDS",
    "incident.actions.tip_triage:WHYS",
    "incident.actions.trials:UNPROVED",
    "incident.actions.trials:WHERE",
    "incident.actions.webhooks:WHY",
    "incident.store.tables:ENCODINGS",
    "incident.exports.clausewords:COUNTED",
    "incident.exports.clausewords:GLUE",
    "incident.exports.clausewords:PLACED",
    "incident.exports.after_action:HEADS",
    "incident.exports.after_action:HOW",
    "incident.exports.after_action:REMARKS",
    "incident.exports.after_action:VERDICT_WORDS",
    "incident.exports.board:NOTHING",
    "incident.exports.board:SPAN_WORDS",
    "incident.exports.review:HEADS",
    "incident.exports.review:STATE_WORDS",
    "incident.exports.summary:DUTY_WORDS",
    "incident.exports.summary:STATE_WORDS",
    "incident.exports.summary:HEADS",
    "incident.exports.summary:KINDS",
    "incident.web.errors:WORDS",
    "incident.web.laws:FORCE",
    "incident.domain.notices:Channel",
    "incident.domain.notices:Stage",
    "incident.domain.deliveries:State",
    "incident.domain.plans:State",
    "incident.domain.laws:Confidence",
)
"""Tables of words below the pages; pages show them through the filter `said`."""
PROSE = (
    *("cac", "clock", "dues", "operational", "plans", "preflight", "readiness", "risk", "separation"),
    *("settlements", "severity", "subjects", "weights"),
)
"""Rules whose every sentence may come to be read on a page."""
SPEAKING = {
    "audit": {"sentences", "_on_keys", "_on_witnesses", "_on_stamps"},
    "enquiries": {"rule_words"},
    "ladders": {"words"},
    "musts": {"_why_open", "_cure"},
    "obligations": {"_not_in_force", "_reaches"},
    "segments": {"words"},
}
"""Functions of other rules whose sentences are read on a page."""
FILES_OF_WORDS = {
    "facts.toml": ("label", "hint", "en"),
    "columns.toml": ("label",),
    "anchors.toml": ("label", "moment"),
    "elements.toml": ("label",),
    "grading.toml": ("text", "low", "moderate", "high", "critical"),
    "letter_forms.toml": ("label",),
    "playbooks/*.toml": ("title", "summary", "detail", "evidence"),
    "forms/*.toml": ("en", "help", "note"),
    "laws/**/*.toml": ("title", "words"),
    "scenarios/*.toml": ("title", "summary", "brief", "why", "from", "text"),
}
"""Vocabularies kept as data, and which of their keys a person reads."""
OF_LAWS = ("authority", "status", "reading", "note", "says")
"""What a law file says in sentences; they have a catalogue of their own."""

WORD = re.compile("[a-z]+(_[a-z0-9]+)*")
GAP = re.compile(r"\{(\w+)\}")
"""How a table of words writes the place of a value."""
FEWEST_LETTERS = 6
"""A sentence of fewer letters of its own would be found in anything."""

Text = str | tuple[str, str]


def gathered() -> dict[Text, bool]:
    """Every text in the order it was found; True where its places are filled below the pages."""
    found: dict[Text, bool] = {}
    for text in (*_of_pages(), *_of_python(), *_of_speech()):
        found.setdefault(text, False)
    for text in (
        *_of_rooms(),
        *_of_prose(),
        *_of_tables(),
        *_of_files(),
        *_of_settings(),
        *_of_permits(),
        *_of_retention(),
        *_of_stages(),
    ):
        found[text] = True
    return found


def _of_pages() -> Iterator[Text]:
    for path in PAGES:
        tree = ENVIRONMENT.parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in {"_", "ngettext"}:
                texts = tuple(
                    arg.value for arg in call.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)
                )
                yield texts[0] if call.node.name == "_" else (texts[0], texts[1])


def _of_python() -> Iterator[Text]:
    for path in sorted((*(ROOT / "incident" / "web").rglob("*.py"), *(ROOT / "incident" / "api").rglob("*.py"))):
        for call in _calls(path):
            name = _name(call)
            if name in MARKS and call.args and (text := _plain(call.args[0])):
                yield text
            elif name == "ngettext":
                yield (_plain(call.args[0]), _plain(call.args[1]))


def _of_rooms() -> Iterator[Text]:
    for room in ROOMS:
        for path in sorted((ROOT / "incident" / room).rglob("*.py")):
            constants = _constants(path)
            for call in _calls(path):
                place = REFUSALS.get(_name(call))
                if place is not None and len(call.args) > place:
                    yield from _sentences(call.args[place], constants)


def _of_prose() -> Iterator[Text]:
    for tree in _speaking():
        unread = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
        unread |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        unread |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.JoinedStr | ast.Constant)
                and id(node) not in unread
                and not GAP.search(_plain(node))
            ):
                said = (text.replace("{}", "%(value)s") for text in _sentences(node, {}))
                yield from (text for text in said if re.search("[A-Za-z]{2}.? [A-Za-z%]|s [A-Za-z]", text))


def _speaking() -> Iterator[ast.AST]:
    """Rules of prose, and the functions of others that speak."""
    for name in (*PROSE, *SPEAKING):
        tree = ast.parse((ROOT / "incident" / "domain" / f"{name}.py").read_text(encoding="utf-8"))
        chosen = SPEAKING.get(name, set())
        yield from [node for node in ast.walk(tree) if getattr(node, "name", "") in chosen] if chosen else [tree]


def _of_settings() -> Iterator[Text]:
    for field in Settings.model_fields.values():
        yield from [field.description] if field.description else []


def _of_speech() -> Iterator[Text]:
    """What rules, actions and documents have said by the `say` they are given."""
    for path in sorted(path for room in SPOKEN for path in (ROOT / "incident" / room).rglob("*.py")):
        for call in _calls(path):
            is_ours = isinstance(call.func, ast.Name) and call.func.id == "say" and call.args
            if is_ours and re.search("[A-Za-z]", GAP.sub("", text := _plain(call.args[0]))):
                yield GAP.sub(r"%(\1)s", text)


def _of_permits() -> Iterator[Text]:
    for permit in PERMITS:
        yield from (part.replace("_", " ") for part in permit.split("."))


def _of_retention() -> Iterator[Text]:
    for rule in RULES.values():
        yield from (rule.about, rule.counts_from, rule.goes)


def of_laws() -> dict[Text, bool]:
    """The sentences of the law files and the names of forms, but those that the interface has in its own catalogue."""
    paths, own = sorted((ROOT / "incident" / "laws").rglob("*.toml")), gathered()
    laws = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]
    texts = (text for law in laws for text in (*_values(law, OF_LAWS), *_names_of_forms(law)))
    return {text: False for text in texts if text not in own}


def _names_of_forms(law: Mapping[str, Any]) -> Iterator[Text]:
    forms = (duty["form"] for duty in law.get("duty", ()) if "form" in duty)
    yield from (form["name"] for form in forms if "name" in form)


def _of_stages() -> Iterator[Text]:
    """Stages of the duties of laws, such as `early warning`."""
    for path in sorted((ROOT / "incident" / "laws").rglob("*.toml")):
        for duty in tomllib.loads(path.read_text(encoding="utf-8")).get("duty", ()):
            yield from [duty["stage"].replace("_", " ")] if duty.get("stage") else []


def _of_tables() -> Iterator[Text]:
    yield from (*EVERYTHING, *MAILED, *enisa.BASE, *(title for title, _ in preflight.CARE.values()))
    for place in TABLES:
        module, _, name = place.partition(":")
        yield from _words(getattr(importlib.import_module(module), name))


def _of_files() -> Iterator[Text]:
    for name, keys in FILES_OF_WORDS.items():
        for path in sorted((ROOT / "incident").glob(name)):
            yield from _values(tomllib.loads(path.read_text(encoding="utf-8")), keys)


def _calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _constants(path: Path) -> dict[str, ast.expr]:
    """What is named at the top of a file, for a sentence that was given a name."""
    named = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            named[node.target.id] = node.value
    return named


def _plain(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _sentences(node: ast.expr, constants: Mapping[str, ast.expr]) -> Iterator[str]:
    """The sentences an expression may come to, with a named place for each value."""
    if isinstance(node, ast.IfExp):
        yield from _sentences(node.body, constants)
        yield from _sentences(node.orelse, constants)
    elif isinstance(node, ast.Name) and node.id in constants:
        yield from _sentences(constants[node.id], {})
    elif len(re.findall("[A-Za-z]", PLACE.sub("", text := _with_places(node)))) >= FEWEST_LETTERS and " " in text:
        yield text


def _with_places(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _with_places(node.left) + _with_places(node.right)
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts, named = [], dict[str, str]()
    for number, part in enumerate(node.values):
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("%", "%%"))
        else:
            assert isinstance(part, ast.FormattedValue)
            inner = part.value
            name = inner.id if isinstance(inner, ast.Name) else getattr(inner, "attr", f"value{number}")
            name = name if named.setdefault(name, ast.unparse(inner)) == ast.unparse(inner) else f"{name}{number}"
            parts.append(f"%({name})s")
    return "".join(parts)


def _words(table: object) -> Iterator[str]:
    if isinstance(table, str):
        text = str.__str__(table)
        text = text.replace("_", " ") if WORD.fullmatch(text) else GAP.sub(r"%(\1)s", text)
        yield from [text] if re.search(r"[A-Za-z]{2}", text) else []
    elif isinstance(table, EnumMeta):
        for one in table:
            yield str(one.value).replace("_", " ")
            yield from [one.words] if isinstance(getattr(one, "words", None), str) else []
    elif isinstance(table, Mapping):
        for value in table.values():
            yield from _words(value)
    elif isinstance(table, Iterable):
        for value in table:
            yield from _words(value)


def _values(table: object, keys: Iterable[str]) -> Iterator[str]:
    if isinstance(table, Mapping):
        for key, value in table.items():
            if key in keys and isinstance(value, str):
                yield value
            else:
                yield from _values(value, keys)
    elif isinstance(table, list):
        for value in table:
            yield from _values(value, keys)


def renewed(path: Path, texts: Mapping[Text, bool]) -> bytes:
    """The catalogue with exactly these texts, and what was translated of them."""
    with path.open("rb") as file:
        before = read_po(file)
    after = Catalog(
        locale=before.locale,
        fuzzy=False,
        header_comment=before.header_comment,
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    known = {
        message.id if isinstance(message.id, str) else message.id[0]: message.string for message in before if message.id
    }
    for text, is_below in texts.items():
        old = known.get(text if isinstance(text, str) else text[0], "")
        if isinstance(text, tuple) and isinstance(old, str):
            old = (old,)
        elif isinstance(text, str) and not isinstance(old, str):
            old = old[0]
        after.add(text, old, auto_comments=[BELOW] if is_below else [])
    written = BytesIO()
    write_po(written, after, width=0, omit_header=True)
    return HEADER.encode() + written.getvalue()


HEADER = """\
# Simplified Chinese. `make words` adds what is new and drops what is gone; docs/glossary-zh.md keeps the terms.
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""

if __name__ == "__main__":
    for tag in FILES:
        for po, texts in ((FILES[tag], gathered()), (LAWS[tag], of_laws())):
            po.write_bytes(renewed(po, texts))
