"""How hard a text is to read."""

from incident.domain.readability import PLAIN, grade

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
