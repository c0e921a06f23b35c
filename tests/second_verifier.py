"""A second verifier, written from docs/record.md alone, with other libraries and in another style than ours.

It reads everything into memory, builds trees as maps, and answers with one number or WrongError.
"""

import base64
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WORD = r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}"
HEX = r"[0-9a-f]{64}"
MEMBERS = {"actor", "at", "details", "format", "incident", "log", "seq", "subject", "verb"}
PATH = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,4}"
SMALL_ORDER = 2**255 - 19


class WrongError(Exception):
    """Something is not as docs/record.md says."""


def demand(holds):
    if not holds:
        raise WrongError


def fits(pattern, value):
    return isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def value_of(row, longest=65_535):
    """Canonical JSON within the limits of a line."""
    demand(len(row) <= longest)
    try:
        value = json.loads(row, parse_float=demand_nothing, parse_constant=demand_nothing)
        demand(isinstance(value, dict) and depth(value) <= 16 and rfc8785.dumps(value) == row)
    except (ValueError, RecursionError):
        raise WrongError from None
    return value


def demand_nothing(_text):
    raise WrongError


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def unbase64(text):
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise WrongError from None
    demand(base64.b64encode(raw).decode() == text)
    return raw


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:])).digest()


# Checkpoints


def public_of(key, log):
    """The 32 bytes of a key written as text, which must be named after the record."""
    name, plus, rest = key.partition("+")
    identity, more, code = rest.partition("+")
    demand(plus and more and name == f"tocsin/{log}")
    raw = unbase64(code)
    demand(len(raw) == 33 and raw[0] == 1 and identity == id_of(name, raw[1:]).hex())
    return raw[1:]


def id_of(name, public):
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def checkpoint(note, log, key):
    """Size and root, the signature having been checked."""
    demand(len(note) <= 65_536 and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", note))
    text, gap, tail = note.rpartition("\n\n")
    demand(gap and tail.endswith("\n"))
    rows = text.split("\n")
    demand(len(rows) >= 3 and all(rows) and rows[0] == f"tocsin/{log}" and fits(r"0|[1-9][0-9]{0,15}", rows[1]))
    said = unbase64(rows[2])
    demand(len(said) == 32)
    name, public = f"tocsin/{log}", public_of(key, log)
    ours = []
    for row in tail[:-1].split("\n"):
        parts = row.split(" ", 2)
        demand(len(parts) == 3 and parts[0] == "—" and parts[1])
        raw = unbase64(parts[2])
        demand(len(raw) >= 5)
        if (parts[1], raw[:4]) == (name, id_of(name, public)):
            ours.append(raw[4:])
    demand(ours)
    for signature in ours:
        demand(is_signed(public, f"{text}\n".encode(), signature))
    return int(rows[1]), said


def is_signed(public, message, signature):
    """By OpenSSL, which takes a key of small order that the document refuses; the others it refuses as well."""
    if len(signature) != 64 or is_of_small_order(public):
        return False
    y = int.from_bytes(signature[:32], "little") & (1 << 255) - 1
    if y >= SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_of_small_order(public):
    """Whether eight times the point is nothing, by Edwards' addition in plain fractions; or it is no point at all."""
    p, y = SMALL_ORDER, int.from_bytes(public, "little")
    sign, y = y >> 255, y % 2**255
    d = -121665 * pow(121666, p - 2, p) % p
    if y >= p:
        return True
    square = (y * y - 1) * pow(d * y * y + 1, p - 2, p) % p
    x = pow(square, (p + 3) // 8, p)
    if x * x % p != square:
        x = x * pow(2, (p - 1) // 4, p) % p
    if x * x % p != square or (x == 0 and sign):
        return True
    for _ in range(3):
        product = d * x * x * y * y % p
        x, y = 2 * x * y * pow(1 + product, p - 2, p) % p, (y * y + x * x) * pow(1 - product, p - 2, p) % p
    return (x, y) == (0, 1)


# Exports and excerpts


def line(value, log, seq):
    demand(set(value) == MEMBERS and value["format"] == "tocsin-record-1")
    words = [value[name] for name in ("actor", "log", "subject", "verb")]
    words += [value["incident"]] if value["incident"] is not None else []
    demand(all(fits(WORD, word) for word in words))
    demand(fits(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value["at"]))
    demand(isinstance(value["details"], dict) and type(value["seq"]) is int)
    demand((value["log"], value["seq"]) == (log, seq))


def rows_of(raw):
    demand(raw.endswith(b"\n"))
    rows = raw[:-1].split(b"\n")
    demand(all(rows))
    return rows


def header_of(row):
    header = value_of(row)
    demand(set(header) == {"format", "key", "log", "size"})
    demand(header["format"] in ("tocsin-record-export-1", "tocsin-record-excerpt-1"))
    demand(fits(WORD, header["log"]) and isinstance(header["key"], str) and type(header["size"]) is int)
    public_of(header["key"], header["log"])
    return header


def on_a_record(raw, outside, known):
    """The number of lines that checkpoints from outside prove, and the lines shown."""
    first, *rows = rows_of(raw)
    header = header_of(first)
    demand(known in (None, header["key"]))
    judge = on_an_excerpt if header["format"] == "tocsin-record-excerpt-1" else on_an_export
    return judge(header, rows, outside)


def on_an_export(header, rows, outside):
    log, key, leaves, shown, checkpoints = header["log"], header["key"], [], [], 0
    for row in rows:
        value = value_of(row)
        if row.startswith(b'{"checkpoint":'):
            checkpoints += 1
            demand(set(value) == {"checkpoint"} and isinstance(value["checkpoint"], str))
            demand(checkpoint(value["checkpoint"], log, key) == (len(leaves), root(leaves)))
        else:
            line(value, log, len(leaves))
            shown.append(value)
            leaves.append(hashlib.sha256(b"\x00" + row).digest())
    demand(header["size"] == len(leaves) and checkpoints <= 10_000)
    proven = 0
    for note in outside:
        size, said = checkpoint(note, log, key)
        demand(size <= len(leaves) and said == root(leaves[:size]))
        proven = max(proven, size)
    return proven, shown


def on_an_excerpt(header, rows, outside):
    """The tree as a map from (level, place) to hash, filled upwards; what stands where is looked up in it."""
    log, key = header["log"], header["key"]
    nodes, size, seams, last, shown, checkpoints = {}, 0, {0}, None, [], 0
    for row in rows:
        value = value_of(row)
        if row.startswith(b'{"checkpoint":'):
            checkpoints += 1
            demand(set(value) == {"checkpoint"} and isinstance(value["checkpoint"], str))
            last = checkpoint(value["checkpoint"], log, key)
            demand(last == (size, root_in(nodes, size)))
            continue
        if row.startswith(b'{"hidden":'):
            inner = value["hidden"]
            demand(set(value) == {"hidden"} and isinstance(inner, dict) and set(inner) == {"hash", "level"})
            demand(type(inner["level"]) is int and 0 <= inner["level"] <= 40 and fits(HEX, inner["hash"]))
            level, node = inner["level"], bytes.fromhex(inner["hash"])
        else:
            line(value, log, size)
            shown.append(value)
            level, node = 0, hashlib.sha256(b"\x00" + row).digest()
        demand(size % 2**level == 0)
        place = size >> level
        nodes[level, place] = node
        size += 2**level
        seams.add(size)
        while place % 2:
            node = hashlib.sha256(b"\x01" + nodes[level, place - 1] + node).digest()
            level, place = level + 1, place // 2
            nodes[level, place] = node
    demand(last is not None and last[0] == size == header["size"] and checkpoints <= 10_000)
    proven = 0
    for note in outside:
        told, said = checkpoint(note, log, key)
        if told in seams:
            demand(said == root_in(nodes, told))
            proven = max(proven, told)
    return proven, shown


def root_in(nodes, size):
    """RFC 6962's root from the roots of the complete subtrees, the smallest ones first."""
    found, place = None, size
    for level in range(size.bit_length()):
        if size >> level & 1:
            place -= 1 << level
            peak = nodes[level, place >> level]
            found = peak if found is None else hashlib.sha256(b"\x01" + peak + found).digest()
    return found or hashlib.sha256(b"").digest()


# Bundles and proofs


def on_a_zip(raw, outside, known):
    """The same for a bundle or a proof, all its files and steps having been checked."""
    try:
        files = unpacked(raw)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error):
        raise WrongError from None
    demand({"manifest.json", "record/excerpt.jsonl"} <= set(files))
    manifest = value_of(files["manifest.json"], 2**24)
    demand(manifest.get("format") in ("tocsin-bundle-1", "tocsin-proof-1"))
    demand(isinstance(manifest.get("files"), list) and fits(WORD, manifest.get("incident")))
    listed = {}
    for one in manifest["files"]:
        demand(isinstance(one, dict) and set(one) == {"bytes", "path", "sha256"})
        demand(type(one["bytes"]) is int and fits(HEX, one["sha256"]) and fits(PATH, one["path"]))
        demand(not listed or max(listed) < one["path"])
        listed[one["path"]] = one
    demand(set(listed) | {"manifest.json", "record/excerpt.jsonl"} == set(files))
    for path, one in listed.items():
        demand((len(files[path]), hashlib.sha256(files[path]).hexdigest()) == (one["bytes"], one["sha256"]))
    demand(files["record/excerpt.jsonl"].startswith(b'{"format":"tocsin-record-e'))
    proven, shown = on_a_record(files["record/excerpt.jsonl"], outside, known)
    verb, subject = "incident.bundled", manifest["incident"]
    if manifest["format"] == "tocsin-proof-1":
        demand("proof.json" in listed)
        proof = value_of(files["proof.json"], 4 * 2**20)
        on_a_proof(proof, manifest["incident"], {value["seq"]: value for value in shown})
        verb, subject = "person.proof_made", proof["person"]
    said = {"files": len(listed), "manifest": hashlib.sha256(files["manifest.json"]).hexdigest()}
    demand(any((one["verb"], one["subject"], one["details"]) == (verb, subject, said) for one in shown))
    return proven


def unpacked(raw):
    end = raw.rfind(b"PK\5\6", max(0, len(raw) - 66_000))
    demand(end >= 0 and len(raw) >= end + 16 and struct.unpack("<I", raw[end + 12 : end + 16])[0] <= 2**23)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        infos = packed.infolist()
        demand(len({info.filename for info in infos}) == len(infos))
        demand(all(info.compress_type in (0, 8) and not info.flag_bits & 1 for info in infos))
        demand(sum(info.file_size for info in infos) <= 200 * len(raw) + 2**24)
        ends = [info.header_offset + 30 + len(info.orig_filename.encode()) + info.compress_size for info in infos]
        begins = [info.header_offset for info in infos]
        demand(not begins or min(begins) == 0)
        for begin, end in zip([*sorted(begins)[1:], packed.start_dir], sorted(ends), strict=False):
            demand(0 <= begin - end <= 64)
        return {info.filename: packed.read(info) for info in infos}


SAYS = {
    "listed": "deliveries.made",
    "followed": "deliveries.climbed",
    "handed over": "deliveries.handed_over",
    "settled": "deliveries.settled",
    "in doubt": "deliveries.in_doubt",
    "reported": "deliveries.reported",
}


def on_a_proof(proof, incident, lines):
    demand(proof.get("format") == "tocsin-proof-1" and proof.get("incident") == incident)
    demand(fits(WORD, proof.get("person")) and isinstance(proof.get("deliveries"), list))
    deliveries = proof["deliveries"]
    for one in deliveries:
        demand(isinstance(one, dict) and all(fits(WORD, one.get(name)) for name in ("ref", "sending", "channel")))
        demand(isinstance(one.get("steps"), list) and isinstance(one.get("not_shown"), list))
        demand(all(isinstance(text, str) for text in one["not_shown"]))
        if one.get("address") is not None:
            address = one["address"]
            demand(isinstance(address, dict) and fits(r"(?:[0-9a-f]){32,128}", address.get("salt")))
            demand(len(address["salt"]) % 2 == 0 and fits(HEX, address.get("sha256")))
    refs = [one["ref"] for one in deliveries]
    demand(len(set(refs)) == len(refs) and sum(len(one["steps"]) for one in deliveries) <= 1_000)
    for one in deliveries:
        for step in one["steps"]:
            on_a_step(step, one, proof, refs, lines)


def on_a_step(step, delivery, proof, refs, lines):
    demand(isinstance(step, dict) and set(step) == {"what", "line", "entry", "index", "size", "path"})
    demand(all(type(step[name]) is int for name in ("line", "index", "size")))
    demand(isinstance(step["entry"], str) and isinstance(step["what"], str) and step["what"] in SAYS)
    demand(isinstance(step["path"], list) and len(step["path"]) <= 40 and all(fits(HEX, node) for node in step["path"]))
    found = lines.get(step["line"])
    demand(found is not None and found["verb"] == SAYS[step["what"]])
    demand(found["subject"] == delivery["sending"] and found["incident"] == proof["incident"])
    allowed = {
        "listed": {proof["person"]},
        "followed": {f"after {ref}" for ref in refs},
        "handed over": {"sending"},
    }.get(step["what"])
    ref, space, said = step["entry"].partition(" ")
    demand(ref == delivery["ref"] and space)
    demand(said in allowed if allowed is not None else fits(r"[a-z_]{1,20}", said))
    details = found["details"]
    counted = details["count"] if type(details.get("count")) is int else None
    if counted is None:
        numbers = details.get("states", details.get("channels"))
        demand(isinstance(numbers, dict) and all(type(number) is int for number in numbers.values()))
        counted = sum(numbers.values())
    demand(step["size"] == counted and 0 <= step["index"] < step["size"])
    leaf = hashlib.sha256(b"\x00" + step["entry"].encode("utf-8", "surrogatepass")).digest()
    path = [bytes.fromhex(node) for node in step["path"]]
    demand(up(leaf, step["index"], step["size"], path).hex() == details.get("digest"))


def up(leaf, index, size, path):
    """The root, going down by halves: where the tree parts, the last hash of the path is the other half's."""
    if size == 1:
        demand(not path)
        return leaf
    demand(path)
    half = 1 << (size - 1).bit_length() - 1
    *rest, other = path
    if index < half:
        return hashlib.sha256(b"\x01" + up(leaf, index, half, rest) + other).digest()
    return hashlib.sha256(b"\x01" + other + up(leaf, index - half, size - half, rest)).digest()


def second_verdict(raw, outside=(), known=None):
    """How many lines checkpoints from outside prove. Raises WrongError."""
    if raw[:2] == b"PK":
        return on_a_zip(raw, outside, known)
    return on_a_record(raw, outside, known)[0]
