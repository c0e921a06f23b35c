"""A notice as a telephone call says it: what stands around the approved text, in each language, and the call as text.

Whoever picks up, a person, a relative or a machine, hears first only who calls and a number to call back. What happened
is told after somebody has pressed a key: a machine presses none. No provider is named here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

HEAR, CALL_BACK, CONFIRM = "1", "2", "9"
"""The keys: hear it (again), be called back by one of the staff, say that it was heard."""

MOST_AT_ONCE = 1_500  # letters that a voice takes in one piece: the smallest limit of those in use is 3,000 bytes
MOST_ENCODED = 4_000  # bytes of the same piece in an address; 4,500 is refused, and a Chinese letter takes nine
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])\s*")
PHONE = re.compile(
    r"\+\d[\d ()/.-]{5,}\d"
)  # as contacts are written: with the country, so that no date or amount is one
REFERENCE = re.compile(r"\bN-[0-9A-Z]{8}\b")
SCHEME = re.compile(r"https?://")


@dataclass(frozen=True)
class Around:
    """The words around a text in one language; `{company}` and `{phone}` stand for themselves."""

    opening: str
    ask: str
    number: str
    menu: str
    thanks: str
    call_back: str
    sorry: str
    goodbye: str
    plus: str


AROUND = {
    "en": Around(
        opening="Hello. This is {company}, with an important message for you.",
        ask="To hear it now, press 1. To be called back by a member of our staff, press 2.",
        number="If this is not a good time, please call us at {phone}.",
        menu="To hear this again, press 1. To be called back by a member of our staff, press 2. "
        "To confirm that you have heard it, press 9.",
        thanks="Thank you.",
        call_back="A member of our staff will call you back.",
        sorry="We cannot read the message to you just now.",
        goodbye="Goodbye.",
        plus="plus",
    ),
    "zh-Hans": Around(
        opening="您好，这里是{company}，有一条重要消息要告知您。",
        ask="现在收听请按1，需要工作人员给您回电请按2。",
        number="如果您现在不方便接听，请致电{phone}。",
        menu="重听请按1，需要工作人员给您回电请按2，确认已听到请按9。",
        thanks="谢谢。",
        call_back="我们的工作人员会给您回电。",
        sorry="现在无法为您播报这条消息。",
        goodbye="再见。",
        plus="加",
    ),
    "zh-Hant": Around(
        opening="您好，這裡是{company}，有一則重要訊息要通知您。",
        ask="現在收聽請按1，需要專人回電請按2。",
        number="如果您現在不方便接聽，請致電{phone}。",
        menu="重聽請按1，需要專人回電請按2，確認已聽到請按9。",
        thanks="謝謝。",
        call_back="我們的同仁會回電給您。",
        sorry="現在無法為您播報這則訊息。",
        goodbye="再見。",
        plus="加",
    ),
    "de": Around(
        opening="Guten Tag. Hier ist {company} mit einer wichtigen Nachricht für Sie.",
        ask="Um sie jetzt zu hören, drücken Sie die 1. Um von uns zurückgerufen zu werden, drücken Sie die 2.",
        number="Wenn es gerade nicht passt, rufen Sie uns bitte unter {phone} an.",
        menu="Um die Nachricht noch einmal zu hören, drücken Sie die 1. Um von uns zurückgerufen zu werden, "
        "drücken Sie die 2. Um zu bestätigen, dass Sie sie gehört haben, drücken Sie die 9.",
        thanks="Vielen Dank.",
        call_back="Wir rufen Sie zurück.",
        sorry="Wir können Ihnen die Nachricht gerade nicht vorlesen.",
        goodbye="Auf Wiederhören.",
        plus="plus",
    ),
    "fr": Around(
        opening="Bonjour. Ici {company}, avec un message important pour vous.",
        ask="Pour l’écouter maintenant, appuyez sur 1. Pour être rappelé par notre équipe, appuyez sur 2.",
        number="Si ce n’est pas le bon moment, merci de nous appeler au {phone}.",
        menu="Pour réécouter ce message, appuyez sur 1. Pour être rappelé par notre équipe, appuyez sur 2. "
        "Pour confirmer que vous l’avez entendu, appuyez sur 9.",
        thanks="Merci.",
        call_back="Une personne de notre équipe vous rappellera.",
        sorry="Nous ne pouvons pas vous lire le message en ce moment.",
        goodbye="Au revoir.",
        plus="plus",
    ),
    "es": Around(
        opening="Hola. Llamamos de {company} con un mensaje importante para usted.",
        ask="Para escucharlo ahora, pulse 1. Para que le devolvamos la llamada, pulse 2.",
        number="Si no es buen momento, llámenos al {phone}.",
        menu="Para escucharlo otra vez, pulse 1. Para que le devolvamos la llamada, pulse 2. "
        "Para confirmar que lo ha oído, pulse 9.",
        thanks="Gracias.",
        call_back="Alguien de nuestro equipo le llamará.",
        sorry="Ahora mismo no podemos leerle el mensaje.",
        goodbye="Adiós.",
        plus="más",
    ),
    "ja": Around(
        opening="こちらは{company}です。大切なお知らせがあります。",
        ask="今お聞きになる場合は1を、担当者からの折り返しをご希望の場合は2を押してください。",
        number="ご都合が悪い場合は、{phone}までお電話ください。",
        menu="もう一度お聞きになる場合は1を、担当者からの折り返しをご希望の場合は2を、お聞きになったことを確認する場合は9を押してください。",
        thanks="ありがとうございます。",
        call_back="担当者から折り返しお電話します。",
        sorry="ただいまお知らせを読み上げることができません。",
        goodbye="失礼いたします。",
        plus="プラス",
    ),
}


@dataclass(frozen=True)
class Script:
    """One call in the order of what may be said: every piece is short enough for any voice."""

    language: str
    opening: tuple[str, ...]
    without_key: tuple[str, ...]
    message: tuple[str, ...]
    menu: tuple[str, ...]
    thanks: tuple[str, ...]
    call_back: tuple[str, ...]
    sorry: tuple[str, ...]


def script(language: str, text: str, *, company: str, phone: str) -> Script:
    """The call that tells this text. Raises KeyError for a language without words of its own here."""
    around = AROUND[language]
    called = {"company": company, "phone": spelled(phone, around.plus)}
    number = (around.number.format(**called),) if called["phone"] else ()
    return Script(
        language,
        opening=(around.opening.format(**called), around.ask),
        without_key=(*number, around.goodbye),
        message=tuple(pieces(aloud(text, around.plus))),
        menu=(around.menu,),
        thanks=(around.thanks, around.goodbye),
        call_back=(around.thanks, around.call_back, around.goodbye),
        sorry=(around.sorry, *number, around.goodbye),
    )


def transcript(said: Script) -> str:
    """The call to read: what a machine would keep, what a person hears after a key, and what each key does."""
    return "\n\n".join(
        (
            "\n".join((*said.opening, *said.without_key)),
            f"[{HEAR}]\n" + "\n".join((*said.message, *said.menu, *said.thanks)),
            f"[{CALL_BACK}]\n" + "\n".join(said.call_back),
            f"[{CONFIRM}]\n" + "\n".join(said.thanks),
        )
    )


def spelled(number: str, plus: str) -> str:
    """A telephone number figure by figure, for a voice would read it as one great number; empty where there is none."""
    figures = [plus if sign == "+" else sign for sign in number if sign.isdigit() or sign == "+"]
    return " ".join(figures) if any(sign.isdigit() for sign in figures) else ""


def aloud(text: str, plus: str) -> str:
    """The text with its telephone numbers and references of notices sign by sign."""
    numbered = PHONE.sub(lambda found: spelled(found[0], plus), text)
    return REFERENCE.sub(lambda found: " ".join(found[0].replace("-", "")), numbered)


def pieces(text: str) -> Iterator[str]:
    """The text as it is spoken: a piece for each line without its bullet, longer ones cut between sentences."""
    for line in text.splitlines():
        plain = "".join(letter if letter.isprintable() else " " for letter in line).strip().removeprefix("- ")
        if plain := SCHEME.sub("", plain):
            yield from _short(plain)


def _short(line: str) -> Iterator[str]:
    held = ""
    for sentence in filter(None, SENTENCE_END.split(line)):
        joined = f"{held} {sentence}" if held.endswith((".", "!", "?")) else held + sentence
        if held and not _fits(joined):
            yield held
            joined = sentence
        while not _fits(joined):
            cut = _longest(joined)
            yield joined[:cut]
            joined = joined[cut:]
        held = joined
    if held:
        yield held


def _fits(piece: str) -> bool:
    return len(piece) <= MOST_AT_ONCE and len(quote(piece)) <= MOST_ENCODED


def _longest(piece: str) -> int:
    """How many letters of a piece without any end of a sentence may be said at once."""
    most = min(len(piece), MOST_AT_ONCE)
    while not _fits(piece[:most]):
        most //= 2
    return most
