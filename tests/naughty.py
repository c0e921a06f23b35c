"""Strings that break programs, more than 515 of them, made from what is known to have broken some, each only once.

Whatever could act carries the mark `zq`, so that a test sees whether it acted: a tag, an attribute or an address of that
name in a page, or a number that only a computer of templates can have written (`ZQ49`).
"""

from collections.abc import Iterator
from itertools import product
from typing import Final

AT_LEAST: Final = 515
MARK: Final = "zq"

WORDS = [
    "undefined",
    "undef",
    "null",
    "NULL",
    "(null)",
    "nil",
    "NIL",
    "true",
    "false",
    "True",
    "False",
    "TRUE",
    "FALSE",
    "None",
    "hasOwnProperty",
    "then",
    "constructor",
    "__proto__",
    "prototype",
    "__class__",
    "__dict__",
    "self",
    "this",
    "on",
    "off",
    "yes",
    "no",
    "NaN",
    "Infinity",
    "-Infinity",
    "INF",
    "1#INF",
    "-1#IND",
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "COM1",
    "LPT1",
    "nul.txt",
    ".",
    "..",
    "...",
    "/",
    "//",
    "\\",
    "\\\\",
    "~",
    "*",
    "?",
    "%",
    "&",
    "|",
    ";",
    "!",
    "$",
    "#",
    "@",
    "^",
    "`",
    "'",
    '"',
    "'''",
    '"""',
    "--",
    "---",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "{{",
    "}}",
    "{%",
    "%}",
    "${",
    "}",
    "#{",
    "}",
    "%{",
    "}",
    "[[",
    "]]",
    "((",
    "))",
    "<<",
    ">>",
    "===",
    "=",
]

NUMBERS = [
    "0",
    "00",
    "-0",
    "0.0",
    "1",
    "1.00",
    "$1.00",
    "1/2",
    "1E2",
    "1E02",
    "1E+02",
    "-1",
    "-1.00",
    "-1E2",
    "0/0",
    "1/0",
    "-2147483648/-1",
    "-9223372036854775808/-1",
    "0.00",
    "0..0",
    "0.0.0",
    "0,00",
    "0,,0",
    "0,0/0,0",
    "--1",
    "-",
    "-.",
    "-,",
    "999999999999999999999999999999999999999999999999",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "0x0",
    "0xffffffff",
    "0xabad1dea",
    "0b101",
    "0o17",
    "1_000",
    "123456789012345678901234567890123456789",
    "1,000.00",
    "1.000,00",
    "1'000.00",
    "1e400",
    "-1e400",
    "1e-400",
    "01",
    "007",
    "08",
    "٣",
    "Ⅷ",
    "½",
    "²",
    "１２３",
    "1٫5",
    "+1",
    "++1",
]

TIMES = [
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-29",
    "2026-02-30",
    "2026-13-01",
    "2026-W01-1",
    "2026-11-22T24:00:00Z",
    "2026-11-22T23:59:60Z",
    "2026-03-29T02:30",
    "2026-10-25T02:30",
    "1970-01-01T00:00:00Z",
    "-0001-01-01",
    "2026-11-22T09:00",
    "2026-11-22T09:00+14:00",
    "2026-11-22T09:00+99:99",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "99:99",
    "Europe/Nowhere",
    "UTC+25",
    "../../etc/localtime",
]

LETTERS = [
    "田中さんにあげて下さい", "和製漢語", "부락은 서울", "社會科學院語學研究所", "울란바토르", "𠜎𠜱𠝹𠱓𠱸𠲖𠳏", "表ポあA鷗ŒéＢ逍Üßªąñ丂㐀𠀀",
    "الكل في المجمو عة", "בְּרֵאשִׁית", "مُنَاقَشَةُ سُبُلِ", "̡͓̞ͅI̗̘̦͝n͇͇͙v̮̫ok̲̫̙", "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤", "Z" + "\u0300" * 200,
    "ﬀ ﬁ ﬂ", "ｆｕｌｌｗｉｄｔｈ", "𝓉𝒽𝑒 𝓆𝓊𝒾𝒸𝓀", "ⓣⓗⓔ", "ʇunpᴉpᴉɔuᴉ", "İstanbul ıI", "ẞß SS", "Ω≈ç√∫˜µ≤≥÷", "åß∂ƒ©˙∆˚¬…æ", "Œ„´‰ˇÁ¨ˆØ∏”’",
    "ЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГД", "٠١٢٣٤٥٦٧٨٩", "ด้้้้้็็็็็้้้้้็็็็", "ก็็็็็็", "ঔঐঃ", "😍", "👩🏽", "👨‍👩‍👧‍👦", "🇺🇸🇷🇺🇸", "🏳️‍⚧️", "0️⃣1️⃣", "👾🙇💁🙅", "ヽ༼ຈل͜ຈ༽ﾉ",
    "paypаl.example.org", "аpple.example.org", "xn--pypl-53dc.example.org", "exаmple@exаmple.org", "ｕser@example.org", "user@münchen.example",
    "user@例え.テスト", "user@[127.0.0.1]", "user@localhost", '"a b"@example.org', "a@b@c", "@", "a@", "@b", "user@" + "a" * 70 + ".example.org",
    "+49" + "1" * 40, "+", "tel:+49", "☎", "O'Brien", "Nguyễn", "José", "Jose\u0301", "李", "van der Berg-Smith 3rd", "A", "Mr. \"Quote\" d'Or",
]  # fmt: skip

UNSEEN = [
    *(chr(code) for code in (0x00, 0x01, 0x07, 0x08, 0x09, 0x0B, 0x0C, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9B, 0xA0, 0xAD)),
    *(chr(code) for code in (0x034F, 0x061C, 0x115F, 0x1680, 0x180E, 0x2000, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F)),
    *(chr(code) for code in (0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069)),
    *(chr(code) for code in (0x3000, 0x3164, 0xFEFF, 0xFFF9, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0x1D173, 0xE0001, 0x10FFFF)),
    "\ud800", "\udfff", "a\ud83d", "\ufeffname", "a\x00b", "\r\n", "\n\n\n", "\t=1+1", " ", "   ", "a\u202egpj.exe", "\u2066zq\u2069\u202e",
    "\x1b[31mred\x1b[0m", "\x1b]0;zq\x07", "\x1b]8;;http://zq/\x07here\x1b]8;;\x07", "\x9b31m", "\x08\x08\x08zq", "x\x1b[2Jx", "\x1b[6n",
]  # fmt: skip

HEADERS = [
    "a\r\nBcc: zq@example.org", "a\nX-Zq: 1", "a\r\n\r\nzq", "a%0d%0aX-Zq:1", "a\rX-Zq: 1", "a\u2028X-Zq: 1", "a\x0bX-Zq: 1", "=?utf-8?B?enE=?=",
    "BEGIN:VCALENDAR\r\nBEGIN:VALARM", "a\r\nATTACH:file:///etc/passwd", "x;ENCODING=b:zq", "\\n\\,\\;", "From zq@example.org", "\r\n.\r\n",
]  # fmt: skip

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1+1)", "=cmd|'/C calc'!A0", '=HYPERLINK("http://zq/","x")', "\t=1+1", "\r=1+1", "\n=1+1", " =1+1",
    "\u00a0=1+1", "\ufeff=1+1", "＝1+1", "－1", "＋1", "＠SUM(1)", '";=1+1', "=1+1;zq", "%0A=1+1", '=WEBSERVICE("http://zq/")', "=IMPORTXML(1)", "'=1+1",
]  # fmt: skip

QUERIES = [
    "' OR 1=1 --", "1; DROP TABLE incident", "1'; DROP TABLE incident--", "' OR 1=1 -- 1", "'; EXEC sp_MSForEachTable --", '" OR ""="', "1 UNION SELECT 1",
    "') OR ('1'='1", "\\'; --", "%' AND 1=1 --", "_%", "%%%", "1); SELECT pg_sleep(9)--", "'||(SELECT 1)||'", "x' AND randomblob(1)--", "/**/OR/**/1=1", "admin'/*",
    '{"$gt": ""}', "*)(uid=*))(|(uid=*", "*", "a&b", "x]]]", "ALTER TABLE x", "' ; PRAGMA writable_schema=1;--",
]  # fmt: skip

PLACES = [
    "../../../../etc/passwd", "..\\..\\..\\windows\\win.ini", "/etc/passwd", "C:\\boot.ini", "file:///etc/passwd", "%2e%2e%2f%2e%2e%2f", "..%c0%af..", "....//....//",
    "a/../../b", "/dev/null", "/dev/random", "\\\\zq\\share", "~root", "nul", "con.txt", "a\x00.txt", "a/b/c", ".htaccess", "x" * 255, "x" * 256, "é" * 255, "-rf", "--help", "|id", "`id`",
    "$(id)", "; id", "& id &", "$HOME", "%USERPROFILE%", "{id,}", "http://127.0.0.1/zq", "http://[::1]/", "http://169.254.169.254/latest", "gopher://zq/", "//zq/", "/\\zq", "javascript:zq()",
    "data:text/html,<b>zq", "vbscript:zq", "https://zq@example.org@zq/",
]  # fmt: skip

SHAPES = [
    "{", "}", "[]", "{}", '{"a":' * 50, "[" * 500, "(" * 500, '"' * 100, "a" * 1_000, "a" * 20_000, "é" * 5_000, "\n" * 2_000, " " * 5_000, "a " * 3_000, "(a+)+$", "a" * 40 + "!", "^(a|a)*$", "\\",
    "%s%s%s%n", "%d", "%x", "%(zq)s", "%1$s", "{0}", "{zq}", "{zq.__class__}", "{}{}{}", "%", "%%", "%zz", "%00", "&#0;", "&zq;", "&lt;b&gt;", "&amp;", "\\u0000", "\\x00", "\\", "\\\\n", "<a", "a>b", "<", ">", "&",
    '<?xml version="1.0"?><!DOCTYPE zq [<!ENTITY zq SYSTEM "file:///etc/passwd">]><zq>&zq;</zq>', "<![CDATA[<zq>]]>", "<!ENTITY zq 'x'>", "]]><zq/>",
]  # fmt: skip

TEMPLATES = [
    "ZQ{{ 7*7 }}", "ZQ{{7*'7'}}", "ZQ${7*7}", "ZQ#{7*7}", "ZQ<%= 7*7 %>", "ZQ{% print 7*7 %}", "ZQ{{ config }}", "ZQ{{ ''.__class__.__mro__ }}", "ZQ{{ person.name.__class__ }}", "ZQ{% for x in range(9**9) %}",
    "ZQ{{ cycler.__init__.__globals__.os.popen('id').read() }}", "ZQ{{ [].append }}", "ZQ{# c #}", "ZQ{{", "ZQ}}", "ZQ{%", "ZQ#let x = 1", "ZQ#read(\"/etc/passwd\")", "ZQ$ integral $", "ZQ#eval(\"7*7\")", "ZQ\\input{/etc/passwd}",
    "ZQ*bold* _it_ `code`", "ZQ[link](javascript:zq())", "ZQ![x](http://zq/x.png)", "ZQ# heading", "ZQ@zq", "ZQ<zq>label", "ZQ%{7*7}", "ZQ@{7*7}", "ZQ[[7*7]]",
]  # fmt: skip

TAGS = (
    "script",
    "img",
    "svg",
    "iframe",
    "body",
    "input",
    "details",
    "video",
    "a",
    "math",
    "style",
    "object",
    "marquee",
    "zq",
)
ENDS = ("", '"', "'", "-->", "</title>", "</textarea>", "</script>")


def _markup() -> Iterator[str]:
    """Tags that would act, out of every place in a page that a text can stand in."""
    for end, tag in product(ENDS, TAGS):
        yield f"{end}<{tag} zq=1 onload=zq() onerror=zq() src=//zq/ href=javascript:zq() onfocus=zq() autofocus>"
    for event in ("onmouseover", "onclick", "onanimationstart", "ontoggle", "onpointerenter"):
        for quote in ('"', "'", "`", " "):
            yield f"x{quote} {event}={quote}zq(){quote} zq={quote}1"
    yield from (
        "<zq",
        "<zq\n>",
        "<ZQ/>",
        "< zq>",
        "<\x00zq>",
        "&lt;zq&gt;",
        "\\x3czq\\x3e",
        "\\u003czq\\u003e",
        "+ADw-zq+AD4-",
        "<scr<script>ipt>zq()</script>",
    )
    yield from (
        "<zq foo=`bar`>",
        "<!--[if zq]><zq>",
        "<!-->zq<zq>",
        "<svg><zq/onload=zq()>",
        "javascript&colon;zq()",
        "java\tscript:zq()",
        "<zq/**/x>",
        "ＺＱ＜zq＞",
    )


def strings() -> tuple[str, ...]:
    """All of them, in an order that never changes."""
    families = (
        WORDS,
        NUMBERS,
        TIMES,
        LETTERS,
        UNSEEN,
        HEADERS,
        FORMULAS,
        QUERIES,
        PLACES,
        SHAPES,
        TEMPLATES,
        list(_markup()),
    )
    found = dict.fromkeys(text for family in families for text in family)
    return tuple(found)


STRINGS: Final = strings()
