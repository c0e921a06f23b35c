import csv
import io

from incident.exports import report
from tests.exports.documents import FORM, NOON, a_sheet, an_answer


def items(*answers):  # type: ignore[no-untyped-def]
    document = report.document(FORM, a_sheet(*answers))
    return {item.label: item for section in document.sections for item in section.items}


def test_both_languages_and_the_article_stand_beside_each_question_of_a_bilingual_form() -> None:
    assert list(items(an_answer())) == ["可能造成的危害 / Possible harm (Art. 57(1))"]


def test_a_missing_required_answer_is_marked_and_an_optional_empty_one_stays_off_the_paper() -> None:
    required = an_answer(answer="", standing="missing")
    optional = an_answer("sensitive_kinds", answer="", standing="missing", required=False)
    [item] = items(required, optional).values()
    assert [mark.word for mark in item.marks] == ["缺失"]


def test_a_changed_answer_says_what_the_report_before_said() -> None:
    [item] = items(an_answer(answer="B", was="A", changed=True)).values()
    assert ([mark.word for mark in item.marks], item.was) == (["有变更"], "A")


def test_new_and_lost_answers_have_words_of_their_own() -> None:
    [new] = items(an_answer(answer="B", was="", changed=True)).values()
    [lost] = items(an_answer(answer="", was="A", changed=True, standing="missing")).values()
    assert [mark.word for mark in new.marks] == ["新增"]
    assert [mark.word for mark in lost.marks] == ["缺失", "上次已填，本次缺失"]


def test_an_unchanged_answer_does_not_repeat_what_was() -> None:
    [item] = items(an_answer(answer="A", was="A", changed=False)).values()
    assert (item.marks, item.was) == ((), "")


def test_the_head_says_when_it_was_due_in_the_zone_of_the_authority_and_that_it_is_late() -> None:
    document = report.document(FORM, a_sheet(due_at=NOON, late=True, filed_at=NOON, reference="12387-1"))
    head = dict(document.particulars)
    assert head["期限"] == "2026年3月6日 20:00（Shanghai） (逾期)"
    assert head["报送时间"] == "2026年3月6日 20:00（Shanghai）"
    assert head["主管部门回执编号"] == "12387-1"


def test_a_draft_says_that_it_is_one() -> None:
    assert dict(report.document(FORM, a_sheet()).particulars)["报送时间"] == "草稿，尚未报送"


def test_the_data_names_what_is_missing_and_what_changed_and_the_facts_beneath() -> None:
    sheet = a_sheet(an_answer(), an_answer("cause", answer="", standing="missing", was="x", changed=True, facts=[]))
    made = report.data(FORM, sheet)
    assert (made["missing"], made["changed"], made["as_of"]) == (["cause"], ["cause"], "2026-03-06T12:00:00Z")
    assert made["answers"][0]["facts"][0]["fact"] == "consequences"
    assert made["form_sha256"] == FORM.digest


def test_the_table_has_one_line_a_question_and_no_formulas() -> None:
    lines = list(csv.DictReader(io.StringIO("".join(report.table(a_sheet(an_answer(answer="=1+1")))), newline="")))
    assert [(line["question"], line["answer"], line["required"]) for line in lines] == [("harm", "'=1+1", "yes")]


def test_a_report_of_a_drill_says_so_first_in_every_format() -> None:
    document = report.document(FORM, a_sheet(drill=True))
    assert document.title.startswith("演练")
    assert document.particulars[0] == ("演练", "仅为演练，内容并非真实事件，不得报送")
    assert report.data(FORM, a_sheet(drill=True))["drill"] is True
