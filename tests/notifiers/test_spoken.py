from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import starters
from notifiers import spoken
from notifiers.twilio_voice import VOICES

TEXT = (
    "We have to tell you of an incident.\n\n- Affected: your e-mail address.\n\nSee https://us.example/notices/check."
)


def test_every_language_of_notices_can_be_spoken():
    assert set(starters.languages()) == set(spoken.AROUND) == set(VOICES)


def test_a_call_listened_to_in_english():
    said = spoken.script("en", TEXT, company="Sample Shop", phone="+49 30 55")
    assert spoken.transcript(said) == (
        "Hello. This is Sample Shop, with an important message for you.\n"
        "To hear it now, press 1. To be called back by a member of our staff, press 2.\n"
        "If this is not a good time, please call us at plus 4 9 3 0 5 5.\n"
        "Goodbye.\n\n"
        "[1]\n"
        "We have to tell you of an incident.\n"
        "Affected: your e-mail address.\n"
        "See us.example/notices/check.\n"
        "To hear this again, press 1. To be called back by a member of our staff, press 2. "
        "To confirm that you have heard it, press 9.\n"
        "Thank you.\n"
        "Goodbye.\n\n"
        "[2]\n"
        "Thank you.\n"
        "A member of our staff will call you back.\n"
        "Goodbye.\n\n"
        "[9]\n"
        "Thank you.\n"
        "Goodbye."
    )


def test_a_call_listened_to_in_chinese():
    said = spoken.script("zh-Hans", "您的信息可能泄露。\n- 受影响的信息：邮箱。", company="示例商店", phone="010 55")
    assert spoken.transcript(said) == (
        "您好，这里是示例商店，有一条重要消息要告知您。\n"
        "现在收听请按1，需要工作人员给您回电请按2。\n"
        "如果您现在不方便接听，请致电0 1 0 5 5。\n"
        "再见。\n\n"
        "[1]\n"
        "您的信息可能泄露。\n"
        "受影响的信息：邮箱。\n"
        "重听请按1，需要工作人员给您回电请按2，确认已听到请按9。\n"
        "谢谢。\n"
        "再见。\n\n"
        "[2]\n"
        "谢谢。\n"
        "我们的工作人员会给您回电。\n"
        "再见。\n\n"
        "[9]\n"
        "谢谢。\n"
        "再见。"
    )


@pytest.mark.parametrize("language", sorted(spoken.AROUND))
def test_before_a_key_is_pressed_no_word_of_the_message_is_said(language: str):
    said = spoken.script(language, "SECRET", company="Sample Shop", phone="110")
    for told in (said.opening, said.without_key, said.call_back, said.thanks, said.sorry):
        assert "SECRET" not in " ".join(told)


def test_without_a_number_none_is_promised():
    said = spoken.script("en", TEXT, company="Sample Shop", phone="")
    assert said.without_key == ("Goodbye.",)
    assert spoken.spelled("ask us", "plus") == ""


@given(st.text(alphabet=st.sampled_from("ab 您的。.!?\n- \x00"), max_size=6_000))
def test_every_piece_is_short_enough_and_no_letter_is_lost(text: str):
    found = list(spoken.pieces(text))
    assert all(0 < len(piece) <= spoken.MOST_AT_ONCE and len(quote(piece)) <= spoken.MOST_ENCODED for piece in found)
    plain = "".join(
        "".join(letter if letter.isprintable() else " " for letter in line).strip().removeprefix("- ")
        for line in text.splitlines()
    )
    assert "".join(found).replace(" ", "") == plain.replace(" ", "")


def test_a_long_chinese_text_is_cut_between_sentences():
    found = list(spoken.pieces("这是一句话。" * 400))
    assert len(found) > 1
    assert all(piece.endswith("。") for piece in found)


def test_a_call_listened_to_in_german_and_in_traditional_chinese():
    german = spoken.transcript(spoken.script("de", "Es gab einen Vorfall.", company="Musterladen", phone="030 55"))
    assert german.startswith(
        "Guten Tag. Hier ist Musterladen mit einer wichtigen Nachricht für Sie.\n"
        "Um sie jetzt zu hören, drücken Sie die 1. Um von uns zurückgerufen zu werden, drücken Sie die 2.\n"
        "Wenn es gerade nicht passt, rufen Sie uns bitte unter 0 3 0 5 5 an.\n"
    )
    chinese = spoken.transcript(spoken.script("zh-Hant", "您的資料可能外洩。", company="範例商店", phone="02 55"))
    assert chinese.startswith(
        "您好，這裡是範例商店，有一則重要訊息要通知您。\n"
        "現在收聽請按1，需要專人回電請按2。\n"
        "如果您現在不方便接聽，請致電0 2 5 5。\n"
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_sentences_stay_apart_whatever_letters_they_hold(language):
    said = spoken.script(
        language, "Eine Kopie wurde abgezogen. Sie könnte missbraucht werden. Zoë’s too.", company="A", phone="1"
    )
    assert " ".join(said.message) == "Eine Kopie wurde abgezogen. Sie könnte missbraucht werden. Zoë’s too."


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("Call +49 30 901820 or write.", "Call plus 4 9 3 0 9 0 1 8 2 0 or write."),
        ("Reference N-APK7VD07, please.", "Reference N A P K 7 V D 0 7, please."),
        ("On 14 November 2026, 1.500 of you.", "On 14 November 2026, 1.500 of you."),
    ],
)
def test_a_number_to_call_and_a_reference_are_said_sign_by_sign_in_the_message_too(written, heard):
    assert spoken.script("en", written, company="Example", phone="").message == (heard,)
