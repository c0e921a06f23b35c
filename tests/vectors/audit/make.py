"""Writes the vectors: one good record, and one file for each way to break it. Same bytes every time.

python tests/vectors/audit/make.py
"""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from incident.domain import audit
from incident.domain.audit import Frontier, Key, Line, canonical, checkpoint_text, encoded, leaf_hash, origin_of

HERE = Path(__file__).parent
LOG = "0123456789abcdef0123456789abcdef"
OTHER_LOG = "fedcba9876543210fedcba9876543210"
SEED, OTHER_SEED = bytes(range(32)), bytes(range(32, 64))


def key_of(seed: bytes, log: str = LOG) -> Key:
    return Key(origin_of(log), Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


def signed(size: int, root: bytes, seed: bytes = SEED, log: str = LOG) -> str:
    text = checkpoint_text(log, size, root)
    return audit.signed_note(text, key_of(seed, log), Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode()))


def lines(count: int = 12) -> list[Line]:
    return [
        Line(
            actor=f"U-{number % 3}",
            at=f"2026-03-01T12:00:{number:02d}.000000Z",
            verb="checkpoint.signed" if number in (5, 11) else "facts.recorded",
            subject="INC-2026-0001",
            incident="INC-2026-0001",
            details=canonical({"keys": ["aware_at", "people_count"], "number": number}),
        )
        for number in range(count)
    ]


def entries(told: list[Line], log: str = LOG) -> list[bytes]:
    return [encoded(log, seq, line) for seq, line in enumerate(told)]


def root(rows: list[bytes]) -> bytes:
    frontier = Frontier()
    for row in rows:
        frontier.add(leaf_hash(row))
    return frontier.root()


def header(size: int, seed: bytes = SEED, log: str = LOG, kind: str = audit.EXPORT_FORMAT) -> bytes:
    return canonical({"format": kind, "key": str(key_of(seed, log)), "log": log, "size": size}).encode()


def export(
    rows: list[bytes], notes: dict[int, str], size: int | None = None, seed: bytes = SEED, log: str = LOG
) -> list[bytes]:
    """Header, lines and, after the line with that count, each checkpoint."""
    out = [header(len(rows) if size is None else size, seed, log)]
    for count, row in enumerate(rows, 1):
        out.append(row)
        if count in notes:
            out.append(canonical({"checkpoint": notes[count]}).encode())
    return out


def excerpt(rows: list[bytes], shown: set[int], note: str, size: int | None = None) -> list[bytes]:
    """Header, the lines at these places, of the others one hash for each complete subtree, and the checkpoint."""
    out = [header(len(rows) if size is None else size, kind=audit.EXCERPT_FORMAT)]
    place = 0
    while place < len(rows):
        if place in shown:
            out.append(rows[place])
            place += 1
            continue
        level = 0
        while (
            place % (2 << level) == 0
            and place + (2 << level) <= len(rows)
            and not shown & set(range(place, place + (2 << level)))
        ):
            level += 1
        out.append(hidden(level, root(rows[place : place + (1 << level)])))
        place += 1 << level
    return [*out, canonical({"checkpoint": note}).encode()]


def hidden(level: int, node: bytes) -> bytes:
    return canonical({"hidden": {"hash": node.hex(), "level": level}}).encode()


GOOD = entries(lines())
NOTES = {6: signed(6, root(GOOD[:6])), 12: signed(12, root(GOOD))}


def renumbered(without: int) -> list[bytes]:
    told = lines()
    del told[without]
    return entries(told)


def changed(row: bytes, old: str, new: str) -> bytes:
    text = row.decode()
    assert old in text
    return text.replace(old, new).encode()


def with_line(number: int, row: bytes) -> list[bytes]:
    return [*GOOD[:number], row, *GOOD[number + 1 :]]


def cases() -> dict[str, dict[str, object]]:
    outside = [NOTES[12]]
    nested = '{"k":' * 40 + "{}" + "}" * 40
    foreign = entries(lines(), OTHER_LOG)
    forged = NOTES[12].rsplit(" ", 1)[0] + " " + audit._base64(key_of(SEED).id + bytes(64)) + "\n"
    rewritten = with_line(3, changed(GOOD[3], "U-0", "U-9"))
    own = {6: signed(6, root(rewritten[:6]), OTHER_SEED), 12: signed(12, root(rewritten), OTHER_SEED)}
    swapped = [*GOOD[:2], GOOD[3], GOOD[2], *GOOD[4:]]
    resigned = {6: NOTES[6], 10: signed(10, root(GOOD[:10]))}
    found: dict[str, dict[str, object]] = {}

    def case(name: str, why: str, rows: list[bytes], expect: list[str], **more: object) -> None:
        found[name] = {"why": why, "export": b"".join(row + b"\n" for row in rows).decode(), "expect": expect, **more}

    case(
        "good-alone",
        "nothing is wrong, but without a checkpoint from outside the tail is not proven",
        export(GOOD, NOTES),
        [],
    )
    case(
        "good-proven",
        "nothing is wrong, and a checkpoint from outside covers all",
        export(GOOD, NOTES),
        [],
        outside=outside,
        proven=12,
    )
    case(
        "good-part",
        "the checkpoint from outside covers half: the rest is not proven",
        export(GOOD, NOTES),
        [],
        outside=[NOTES[6]],
        proven=6,
    )
    case("good-empty", "a record without lines", export([], {}), [])
    case(
        "tail-cut",
        "the last lines and their checkpoint are missing, the header mended",
        export(GOOD[:9], {6: NOTES[6]}),
        ["tail cut"],
        outside=outside,
    )
    case(
        "tail-cut-resigned",
        "cut, and signed anew by whoever holds the key",
        export(GOOD[:10], resigned),
        ["tail cut"],
        outside=outside,
    )
    case("tail-cut-unmended", "the file ends early, as after a broken copy", export(GOOD[:9], NOTES, size=12), ["size"])
    case(
        "row-cut",
        "the last row ends in its middle",
        [*export(GOOD[:-1], NOTES, size=12), GOOD[-1][:50]],
        ["malformed"],
        cut=True,
    )
    case("head-cut", "the first lines are missing", export(GOOD[2:], {10: NOTES[12]}), ["order"])
    case(
        "line-removed", "a line is missing, the numbers tell", export([*GOOD[:3], *GOOD[4:]], {5: NOTES[6]}), ["order"]
    )
    case("renumbered", "a line is missing and the rest renumbered", export(renumbered(3), {6: NOTES[6]}), ["changed"])
    case("reordered", "two lines changed places", export(swapped, NOTES), ["order", "changed"])
    case("repeated", "a line stands twice", export([*GOOD[:4], GOOD[3], *GOOD[4:]], {}), ["order"])
    case("changed-actor", "another actor", export(rewritten, NOTES), ["changed"])
    case(
        "changed-details",
        "another number in the details",
        export(with_line(7, changed(GOOD[7], '"number":7', '"number":8')), NOTES),
        ["changed"],
    )
    case(
        "changed-time",
        "another time",
        export(with_line(7, changed(GOOD[7], "12:00:07", "11:00:07")), NOTES),
        ["changed"],
    )
    case(
        "rewritten-own-key",
        "rewritten and signed throughout with another key",
        export(rewritten, own, seed=OTHER_SEED),
        ["wrong key"],
        outside=outside,
    )
    case(
        "rewritten-key-known",
        "the same, and the reader knows the right key",
        export(rewritten, own, seed=OTHER_SEED),
        ["wrong key"],
        key=str(key_of(SEED)),
    )
    case(
        "rewritten-same-key",
        "rewritten by whoever holds the key",
        export(rewritten, {12: signed(12, root(rewritten))}),
        ["changed"],
        outside=outside,
    )
    case(
        "spliced",
        "a line of another record stands among ours",
        export(with_line(4, foreign[4]), NOTES),
        ["foreign line", "changed"],
    )
    case("foreign-record", "all of another record under our header", export(foreign, {}), ["foreign line"])
    case(
        "foreign-checkpoint",
        "a checkpoint of another record",
        export(GOOD, NOTES),
        ["foreign checkpoint"],
        outside=[signed(12, root(foreign), SEED, OTHER_LOG)],
    )
    case("forged-signature", "the signature is zeros", export(GOOD, NOTES), ["forged signature"], outside=[forged])
    case(
        "wrong-root",
        "a checkpoint of the same size about other lines",
        export(GOOD, NOTES),
        ["changed"],
        outside=[signed(12, root(GOOD[:11] + GOOD[:1]))],
    )
    case(
        "misplaced-checkpoint",
        "the checkpoint of 12 lines stands after 6",
        export(GOOD, {6: NOTES[12]}),
        ["misplaced checkpoint"],
    )
    case(
        "not-a-checkpoint",
        "what came from outside is something else",
        export(GOOD, NOTES),
        ["not a checkpoint"],
        outside=["hello\n"],
    )
    case(
        "field-shifted",
        "a quote moves the end of a field",
        export(with_line(2, changed(GOOD[2], '"U-2","at":"2026', '"U-2\\",\\"at\\":\\"2026')), NOTES),
        ["malformed"],
    )
    case(
        "field-added",
        "a field more",
        export(with_line(2, changed(GOOD[2], '"verb"', '"x":1,"verb"')), NOTES),
        ["malformed"],
    )
    case(
        "field-twice",
        "the same field twice",
        export(with_line(2, changed(GOOD[2], '"verb"', '"seq":2,"verb"')), NOTES),
        ["malformed"],
    )
    case(
        "not-canonical",
        "a space that changes nothing for most readers",
        export(with_line(2, changed(GOOD[2], '"seq":2', '"seq": 2')), NOTES),
        ["malformed"],
    )
    case(
        "escaped",
        "a letter written as its number",
        export(with_line(2, changed(GOOD[2], "aware_at", "\\u0061ware_at")), NOTES),
        ["malformed"],
    )
    case(
        "fraction",
        "a number that is not whole",
        export(with_line(2, changed(GOOD[2], '"number":2', '"number":2.0')), NOTES),
        ["malformed"],
    )
    case(
        "huge-number",
        "a number with 5,000 digits",
        export(with_line(2, changed(GOOD[2], '"number":2', '"number":' + "9" * 5000)), NOTES),
        ["malformed"],
    )
    case(
        "huge-line",
        "a line longer than any that is written",
        export(with_line(2, changed(GOOD[2], "aware_at", "a" * 70_000)), NOTES),
        ["malformed"],
    )
    case(
        "nested",
        "forty levels deep",
        export(with_line(2, changed(GOOD[2], '"number":2', f'"number":{nested}')), NOTES),
        ["malformed"],
    )
    case(
        "control-characters",
        "a subject that would paint the terminal",
        export(with_line(2, changed(GOOD[2], '"subject":"INC', '"subject":"\\u001b[2JINC')), NOTES),
        ["malformed"],
    )
    case("empty-row", "an empty row", export(with_line(2, b""), NOTES), ["malformed"])
    case("no-header", "the header is missing", GOOD, ["not an export"])
    part = excerpt(GOOD, {3, 7, 8}, NOTES[12])
    case("excerpt-alone", "three lines of twelve; nothing is wrong", part, [])
    case("excerpt-proven", "the same, with the checkpoint from outside", part, [], outside=outside, proven=12)
    case(
        "excerpt-passed-over",
        "a checkpoint from outside lies within hidden lines",
        excerpt(GOOD, {8}, NOTES[12]),
        [],
        outside=[NOTES[6]],
    )
    case(
        "excerpt-seam",
        "a checkpoint from outside lies where hidden lines are parted",
        excerpt(GOOD, {6}, NOTES[12]),
        [],
        outside=[NOTES[6]],
        proven=6,
    )
    case("excerpt-line-changed", "a line that is shown", excerpt(rewritten, {3}, NOTES[12]), ["changed"])
    case(
        "excerpt-moved",
        "a line that is shown stands at another place",
        [part[0], hidden(0, leaf_hash(GOOD[0])), *part[1:]],
        ["malformed", "order"],
    )
    case("excerpt-unsigned", "no checkpoint at its end", part[:-1], ["unsigned"])
    case(
        "excerpt-tree-misplaced",
        "a tree where none can stand",
        [*part[:4], hidden(3, bytes(32)), *part[4:]],
        ["malformed"],
    )
    case("excerpt-level", "a level that cannot be", [part[0], hidden(99, bytes(32)), *part[1:]], ["malformed"])
    case(
        "excerpt-hash",
        "hidden lines with another hash",
        [part[0], hidden(1, bytes(32)), *part[2:]],
        ["changed"],
    )
    case(
        "excerpt-field-added",
        "hidden lines with a member more",
        [part[0], part[1].replace(b'"level"', b'"l":0,"level"'), *part[2:]],
        ["malformed"],
    )
    case("export-hides", "an export of the whole that hides lines", [header(12), *part[1:]], ["malformed"])
    return found


if __name__ == "__main__":
    for name, case in cases().items():
        if case.pop("cut", False):
            case["export"] = str(case["export"])[:-1]
        (HERE / f"{name}.json").write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
