import re

import pytest

from incident.domain import forms, lawbook, phrases
from incident.domain.facts import vocabulary
from incident.domain.forms import BrokenForm

GOOD = (forms.FORMS / "hk-pcpd.toml").read_text(encoding="utf-8")


def broken(old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(BrokenForm) as caught:
        forms.read(GOOD.replace(old, new, 1), "hk.toml")
    return str(caught.value)


def test_every_form_that_the_product_promises_is_there_and_sound() -> None:
    assert set(forms.library()) == {
        "eu-gdpr-33",
        "uk-ico",
        "cn-pipl-57",
        "cn-cac-2025",
        "hk-pcpd",
        "us-ca-ag",
        "general",
    }


@pytest.mark.parametrize("form", forms.library().values(), ids=lambda form: form.id)
def test_a_form_asks_for_something_in_every_stage_and_says_where_it_comes_from(form: forms.Form) -> None:
    for stage in form.stages:
        assert any(stage.key in question.required for question in form.asked(stage.key)), stage.key
    assert form.cite.place
    assert form.cite.href.startswith("https://") or form.id == "general"


@pytest.mark.parametrize("form", [one for one in forms.library().values() if one.bilingual], ids=lambda form: form.id)
def test_a_bilingual_form_has_both_names_of_everything(form: forms.Form) -> None:
    labels = [form.name, *(part.label for part in (*form.stages, *form.sections, *form.questions))]
    assert all(label.en and label.zh for label in labels)
    assert form.words(form.name, "en") == f"{form.name.zh} / {form.name.en}"


def test_every_article_33_3_item_is_required_at_the_end() -> None:
    form = forms.library()["eu-gdpr-33"]
    cited = {question.cite for question in form.questions if "final" in question.required}
    assert {f"Art. 33(3)({letter})" for letter in "abcd"} <= cited


def test_items_1_and_2_are_all_the_cac_asks_for_within_the_time_limit() -> None:
    form = forms.library()["cn-cac-2025"]
    sections = {question.section for question in form.questions if "initial" in question.required}
    assert sections == {"unit", "incident"}


def test_every_option_of_a_fact_that_a_chinese_report_shows_has_its_chinese_word() -> None:
    shown = {
        key for form in forms.library().values() if "zh" in form.languages for q in form.questions for key in q.facts
    }
    for key in shown - {"data_kinds"}:
        assert key in phrases.chinese()["label"], key
        options = {option.word for option in vocabulary()[key].options}
        assert options <= set(phrases.chinese().get(key, {})), key


def test_a_question_about_no_known_fact_is_named() -> None:
    assert "occurred: no fact happened_at" in broken('"occurred_from"', '"happened_at"')


def test_a_question_in_no_section_is_named() -> None:
    assert "sector: no section nowhere" in broken(
        'key = "sector"\nsection = "user"', 'key = "sector"\nsection = "nowhere"'
    )


def test_two_questions_of_one_name_are_found() -> None:
    assert "sector is there twice" in broken('key = "company"\nsection', 'key = "sector"\nsection')


def test_a_required_stage_must_exist() -> None:
    assert "a stage that the form has not" in broken('required = ["notification"]', 'required = ["first"]')


def test_a_computation_must_exist() -> None:
    assert "no computation companies" in broken('computed = "company"', 'computed = "companies"')


def test_without_a_citation_there_is_no_form() -> None:
    with pytest.raises(BrokenForm, match="no citation"):
        forms.read(re.sub(r'place = "PDPO[^"]*"', 'place = ""', GOOD), "hk.toml")


def test_what_is_not_toml_is_said_to_be_so() -> None:
    with pytest.raises(BrokenForm, match="not TOML"):
        forms.read("[[", "x.toml")


def test_a_form_without_name_is_said_to_lack_it() -> None:
    assert "missing or misplaced" in broken('zh = "資料外洩', 'fr = "資料外洩')


def test_every_law_that_a_form_answers_is_in_the_library_with_a_duty_that_its_first_stage_meets() -> None:
    book = lawbook.library()
    for form in forms.library().values():
        for law in form.laws:
            met = {
                duty.id for duty in book[law].duties if duty.to == form.recipient and duty.stage in form.stages[0].meets
            }
            assert met, f"{form.id}: {law}"


def test_the_closing_summary_to_the_cac_meets_the_closing_duty_and_no_supplement_does() -> None:
    form = forms.library()["cn-cac-2025"]
    assert {stage.key: stage.meets for stage in form.stages} == {
        "initial": ("", "initial"),
        "supplementary": (),
        "summary": ("final",),
    }
