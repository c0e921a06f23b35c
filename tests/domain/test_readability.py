"""How hard a text is to read."""

import pytest

from incident.domain.readability import PLAIN, Measure, Reading, grade, read

EASY = "We are sorry. A thief took your name. We told the police. You do not have to do a thing now. " * 5
HARD = (
    "Notwithstanding the aforementioned unauthorised exfiltration of personally identifiable information, "
    "the organisation's cybersecurity professionals have subsequently implemented comprehensive remediation. "
) * 5


def test_plain_words_are_easy_and_officialese_is_not():
    assert grade(EASY) <= 4
    assert grade(HARD) > PLAIN + 5


def test_a_known_text_has_its_grade():
    # "The cat sat on the mat." six words, six syllables a sentence: 0.39 × 6 + 11.8 × 1 − 15.59 is below the first grade
    assert grade("The cat sat on the mat. " * 10) == 1


def test_a_short_text_is_not_judged():
    assert grade("We are sorry.") is None
    assert grade("") is None


def test_another_script_is_not_judged():
    assert grade("我们持有的您的个人信息受到一起安全事件的影响。" * 20) is None


@pytest.mark.parametrize(
    ("language", "easy", "hard"),
    [
        ("de", "Das tut uns leid. Ein Dieb nahm die Liste. Wir sind bei der Polizei. ", "Ungeachtet der vorgenannten unautorisierten Datenabflüsse implementierten unsere Sicherheitsverantwortlichen umfangreiche Wiederherstellungsmaßnahmen. "),
        ("fr", "Nous en sommes désolés. On a pris la liste. La police le sait. Tout va bien. ", "Nonobstant l’exfiltration susmentionnée d’informations personnellement identifiables, l’organisation a ultérieurement implémenté une remédiation considérable. "),
        ("es", "Lo sentimos. Se llevó la lista. La policía lo sabe ya. No haga nada. ", "Independientemente de la mencionada exfiltración desautorizada, posteriormente implementamos extraordinarias infraestructuras organizacionales. "),
    ],
)  # fmt: skip
def test_each_language_is_judged_by_its_own_measure(language, easy, hard):
    light, heavy = read(easy * 10, language), read(hard * 10, language)
    assert (light.plain, heavy.plain) == (True, False)
    assert light.measure == heavy.measure == (Measure.GRADE if language == "de" else Measure.EASE)


@pytest.mark.parametrize(("language", "plain"), [("ja", False), ("zh-Hans", None)])
def test_without_a_settled_measure_the_letters_of_a_sentence_are_told(language, plain):
    long = ("あ" * 80 + "。") * 3
    found = read(long, language)
    assert (found.measure, found.level, found.letters, found.plain) == (Measure.LETTERS, 80, 240, plain)


def test_the_formulas_give_what_their_authors_say():
    # 100 words of one syllable in 10 sentences
    ten = "sol " * 9 + "sol. "
    assert read(ten * 10, "es").level == 100  # 206.84 - 60 - 10.2 is above the scale's end
    assert read(ten * 10, "de").level == 1  # 0.2656 * 10 - 1.693 = 0.96


def test_a_language_without_a_measure_is_only_counted():
    assert read("yksi kaksi kolme " * 30, "fi") == Reading(90, 420)
