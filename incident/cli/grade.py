"""`tocsin grade`: the severity scales for a file of facts, without a database."""

import json
from pathlib import Path
from typing import Any

import click

from incident.cli.shelf import Unusable
from incident.domain import scales
from incident.domain.described import Unsupported, facts_of
from incident.domain.errors import Invalid
from incident.domain.facts import Facts, vocabulary
from incident.domain.grading import notification
from incident.domain.scales import Proposal
from incident.exports import cvss

RISK = {"unlikely": "a risk is unlikely", "risk": "a risk", "high": "a high risk"}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--cvss", "vector", default="", metavar="VECTOR", help="Score this CVSS vector too (3.0, 3.1 or 4.0).")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def grade(file: Path, vector: str, as_json: bool) -> None:
    """Grade the facts in FILE on every scale that matters, each with its reasons and what could still change it.

    FILE is a JSON object of facts, in the words of facts.toml or of case files.
    """
    raw = _read(file)
    try:
        facts = facts_of(raw)
        found = scales.proposals(facts)
        score = cvss.scored(vector) if vector else None
    except (Invalid, Unsupported) as error:
        raise Unusable(f"{file}: {_mistake(error)}") from None
    told = notification(raw if {"incident_type", "data_categories"} & raw.keys() else facts)
    answer: dict[str, Any] = {"grades": [_row(one) for one in found], "risk_to_people": _risk(told, facts)}
    if score is not None:
        answer["grades"].append({"scale": "cvss", "level": score.level, "score": score.score, "vector": score.vector})
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    for one in found:
        click.echo(_told(one))
    if facts["personal_data"] is not False and not facts.known("data_kinds"):
        click.echo(_lines("Severity for people: not yet", (), ("data_kinds",)))
    if score is not None:
        click.echo(f"{scales.CAPTIONS[scales.Scale.CVSS]}: {score.level} {score.score:g}\n    {score.vector}")
    click.echo(
        _lines(f"Risk to people, suggested: {RISK[told.judgement.risk.word]}", told.reasons, told.judgement.open)
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{file}: cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Unusable(f"{file}: is not JSON: {error}.") from None
    facts = raw.get("facts", raw) if isinstance(raw, dict) else None
    if not isinstance(facts, dict):
        raise Unusable(f"{file}: give one JSON object of facts.")
    return facts


def _mistake(error: Invalid | Unsupported) -> str:
    return f"{error.field}: {error.sentence}" if isinstance(error, Invalid) else f"{error} is not known."


def _row(one: Proposal) -> dict[str, Any]:
    return {
        "scale": one.scale.value,
        "level": one.level,
        "score": one.score,
        "inputs": one.inputs,
        "reasons": list(one.reasons),
        "open": list(one.open),
    }


def _risk(told: Any, facts: Facts) -> dict[str, Any]:
    return {
        "suggested": told.judgement.risk.word,
        "reasons": list(told.reasons),
        "open": list(told.judgement.open),
        "decided": facts.get("risk_to_people"),
    }


def _told(one: Proposal) -> str:
    score = f" {one.score:g}" if one.score is not None else ""
    head = f"{scales.CAPTIONS[one.scale]}: {scales.words(one.level)}{score}{' so far' if one.open else ''}"
    if "formula" in one.inputs:
        head += f"\n    SE = DPC × EI + CB = {one.inputs['formula']}"
    return _lines(head, one.reasons, one.open)


def _lines(head: str, reasons: tuple[str, ...], open_: tuple[str, ...]) -> str:
    known = vocabulary()
    asks = ", ".join(known[key].label if key in known else key for key in open_)
    lines = [head, *(f"    {reason}" for reason in reasons), *([f"    Could change with: {asks}"] if asks else [])]
    return "\n".join(lines)
