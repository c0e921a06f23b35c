from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from incident.domain import forms, reports
from incident.domain.dossier import Company, Dossier, FactNow, GradeLine, NoticeLine, StepLine
from incident.domain.errors import Invalid
from incident.domain.facts import UNKNOWN
from incident.domain.reports import Answer, Hand, Origin, Standing, Typed

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
GDPR = forms.library()["eu-gdpr-33"]
CAC = forms.library()["cn-cac-2025"]
CALIFORNIA = forms.library()["us-ca-ag"]


def a_dossier(**facts: object) -> Dossier:
    held = {key: FactNow(value, NOON, "log analysis") for key, value in facts.items()}  # type: ignore[arg-type]
    return Dossier("INC-2026-0001", "Copied database", "incident", "data_leak", "open", NOON, NOON, facts=held)


def answered(
    dossier: Dossier,
    hands: dict[str, Hand] | None = None,
    *,
    form: forms.Form = GDPR,
    stage: str = "initial",
    language: str = "en",
    late: bool = False,
) -> dict[str, Answer]:
    given = reports.answers(form, stage, dossier, hands or {}, language=language, late=late)
    return {answer.question.key: answer for answer in given}


def saved(dossier: Dossier, before: dict[str, Hand], **typed: Typed) -> dict[str, Hand]:
    return reports.written(GDPR, answered(dossier), before, typed, by="U-1", at=NOON)


# ---------------------------------------------------------------- where answers come from


def test_an_answer_comes_from_its_fact_and_names_it() -> None:
    answer = answered(a_dossier(records_count=120_000))["records_count"]
    assert (answer.text, answer.origin, answer.standing) == ("120,000", Origin.FACTS, Standing.ANSWERED)
    assert [(one.fact, one.value) for one in answer.sources] == [("records_count", 120_000)]


def test_several_facts_are_lines_with_their_names() -> None:
    answer = answered(a_dossier(how_found="staff", found_by="Support"))["found"]
    assert answer.text == "How it was found: A member of staff\nFound by which team or role: Support"


def test_of_several_facts_the_unknown_ones_are_left_out_of_the_text_but_stay_sources() -> None:
    answer = answered(a_dossier(how_found="staff", found_by=UNKNOWN))["found"]
    assert answer.text == "How it was found: A member of staff"
    assert [one.value for one in answer.sources] == ["staff", None]


def test_a_time_is_said_in_the_zone_of_the_report() -> None:
    dossier = replace(a_dossier(aware_at=NOON), zone=ZoneInfo("Europe/Paris"))
    assert answered(dossier)["aware"].text == "6 Mar 2026, 13:00 Paris"


def test_the_registry_answers_where_no_fact_does_and_a_fact_goes_before_it() -> None:
    counted = replace(a_dossier(), people_total=2_114)
    assert (answered(counted)["people_count"].text, answered(counted)["people_count"].origin) == (
        "2,114",
        Origin.COMPUTED,
    )
    both = replace(a_dossier(people_count=3_000), people_total=2_114)
    assert answered(both)["people_count"].text == "3,000"


def test_finished_steps_stand_for_measures_until_somebody_writes_them() -> None:
    dossier = replace(
        a_dossier(),
        steps=(StepLine("Close the host", "stop_loss", "done", NOON), StepLine("Restore", "remedy", "open")),
    )
    given = answered(dossier)
    assert given["measures_taken"].text == "Close the host (6 Mar 2026, 12:00 UTC)"
    assert given["measures_planned"].text == "Restore"


def test_only_notices_that_went_out_count_as_telling_people() -> None:
    told = NoticeLine("N-1", "Customers", "sent", people=10, reached=8, first_sent_at=NOON, channels=("email",))
    dossier = replace(a_dossier(), notices=(told, NoticeLine("N-2", "Draft", "draft")))
    assert (
        answered(dossier)["people_told"].text
        == "Customers: from 6 Mar 2026, 12:00 UTC by email; 10 people to tell, 8 reached"
    )


def test_the_contact_is_missing_until_there_is_a_way_to_reach_it() -> None:
    assert answered(replace(a_dossier(), company=Company(contact_name="Privacy team")))["contact"].lacking
    reachable = replace(a_dossier(), company=Company(contact_name="Privacy team", contact_email="privacy@example.org"))
    assert answered(reachable)["contact"].text == "Privacy team\nprivacy@example.org"


def test_sensitive_kinds_are_picked_out_by_the_law_at_hand() -> None:
    dossier = a_dossier(data_kinds=("name", "bank_account", "health"))
    assert answered(dossier)["special_kinds"].text == "health"
    pipl = answered(dossier, form=forms.library()["cn-pipl-57"], language="zh")
    assert pipl["sensitive_kinds"].text == "银行账号、健康信息"


def test_residents_of_california_are_counted_by_the_fact_before_the_registry() -> None:
    dossier = replace(a_dossier(residents={"US-CA": 700, "DE": 5}), people_by_place={"US-CA": 9})
    assert answered(dossier, form=CALIFORNIA, stage="submission")["residents"].text == "700"
    assert answered(replace(dossier, facts={}), form=CALIFORNIA, stage="submission")["residents"].text == "9"


def test_a_chinese_report_speaks_chinese_in_labels_options_and_times() -> None:
    dossier = replace(
        a_dossier(category="ransomware", what_happened="数据库被加密", aware_at=NOON), zone=ZoneInfo("Asia/Shanghai")
    )
    given = answered(dossier, form=CAC, language="zh")
    assert given["type"].text == "事件类型：勒索软件\n事件经过：数据库被加密"
    assert given["time"].text == "确认知悉时间：2026年3月6日 20:00（Shanghai）"


# ---------------------------------------------------------------- unknown, missing, required


def test_an_unknown_fact_is_an_answer_at_first_and_missing_at_the_end() -> None:
    dossier = a_dossier(records_count=UNKNOWN)
    first = answered(dossier)["records_count"]
    assert (first.standing, first.text, first.lacking) == (Standing.UNKNOWN, "Not known yet", False)
    assert answered(dossier, stage="final")["records_count"].lacking


def test_what_nobody_recorded_is_missing_and_named() -> None:
    summary = reports.completeness(answered(a_dossier(what_happened="A copy was taken.")).values())
    missing = {answer.question.key for answer in summary.missing}
    assert "aware" in missing
    assert "nature" not in missing
    assert summary.answered + len(missing) == summary.required


def test_what_a_stage_does_not_require_is_never_lacking() -> None:
    assert not answered(a_dossier())["sector"].lacking


def test_the_reason_for_delay_is_asked_only_of_a_late_report() -> None:
    assert "delay_reason" not in answered(a_dossier())
    assert answered(a_dossier(), late=True)["delay_reason"].lacking


def test_the_ransom_is_asked_only_where_one_was_demanded() -> None:
    for demanded, asked in ((True, True), (False, False), (UNKNOWN, False)):
        assert ("ransom" in answered(a_dossier(ransom_demanded=demanded), form=CAC)) is asked


def test_a_question_of_the_closing_summary_is_not_asked_before() -> None:
    assert "lessons" not in answered(a_dossier(), form=CAC)
    assert answered(a_dossier(), form=CAC, stage="summary")["lessons"].lacking


# ---------------------------------------------------------------- by hand


def test_an_answer_by_hand_wins_and_keeps_its_reason() -> None:
    dossier = a_dossier(what_happened="A copy was taken.")
    hands = saved(dossier, {}, nature=Typed("A copy of orders was taken.", reason="Say which data"))
    answer = answered(dossier, hands)["nature"]
    assert (answer.text, answer.origin, answer.reason, answer.by) == (
        "A copy of orders was taken.",
        Origin.HAND,
        "Say which data",
        "U-1",
    )
    assert answer.derived == "A copy was taken."


def test_to_overrule_a_fact_needs_a_reason() -> None:
    with pytest.raises(Invalid, match="why you answer by hand") as caught:
        saved(a_dossier(what_happened="A copy was taken."), {}, nature=Typed("Nothing was taken."))
    assert caught.value.field == "nature"


def test_where_the_facts_say_nothing_no_reason_is_asked() -> None:
    assert saved(a_dossier(), {}, sector=Typed("Retail"))["sector"].text == "Retail"


def test_an_answer_by_hand_over_an_unknown_fact_needs_no_reason() -> None:
    assert saved(a_dossier(cause=UNKNOWN), {}, cause=Typed("A forgotten host"))["cause"].text == "A forgotten host"


def test_an_answer_by_hand_is_marked_when_the_fact_beneath_changes_and_again_right_when_confirmed() -> None:
    before = a_dossier(records_count=100)
    hands = saved(before, {}, records_count=Typed("About 100", reason="An estimate"))
    assert not answered(before, hands)["records_count"].outdated
    after = a_dossier(records_count=5_000)
    assert answered(after, hands)["records_count"].outdated
    typed = Typed("About 100", reason="An estimate")
    assert answered(after, saved(after, hands, records_count=typed))["records_count"].outdated
    confirmed = saved(after, hands, records_count=replace(typed, still_right=True))
    assert not answered(after, confirmed)["records_count"].outdated


def test_an_emptied_answer_goes_back_to_the_facts() -> None:
    dossier = a_dossier(records_count=100)
    hands = saved(dossier, {}, records_count=Typed("About 100", reason="An estimate"))
    assert answered(dossier, saved(dossier, hands, records_count=Typed("  ")))["records_count"].text == "100"


def test_what_was_not_sent_stays_as_it_was() -> None:
    hands = saved(a_dossier(), {}, sector=Typed("Retail"))
    assert saved(a_dossier(), hands, attachments=Typed("Notice.pdf"))["sector"].text == "Retail"


def test_unknown_by_hand_is_an_answer_at_first_and_missing_at_the_end() -> None:
    hands = saved(a_dossier(), {}, cause=Typed(unknown=True))
    assert answered(a_dossier(), hands)["cause"].standing is Standing.UNKNOWN
    assert answered(a_dossier(), hands, stage="final")["cause"].standing is Standing.MISSING


def test_an_answer_to_a_question_that_is_not_asked_is_refused() -> None:
    with pytest.raises(Invalid, match="no question"):
        saved(a_dossier(), {}, surprise=Typed("x"))


@pytest.mark.parametrize(
    ("typed", "sentence"), [(Typed("x" * 20_001), "at most 20,000"), (Typed("x", reason="y" * 501), "at most 500")]
)
def test_what_is_too_long_is_refused_by_its_field(typed: Typed, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        saved(a_dossier(), {}, sector=typed)


def test_control_characters_go_and_line_breaks_stay() -> None:
    assert reports.plain(" a\r\nb\x07\x1b[31m\ud83d\tc \u0085") == "a\nb[31m\tc"


# ---------------------------------------------------------------- grades


def test_a_suggested_grade_is_never_told_as_a_chosen_one() -> None:
    people = GradeLine("people", "very_high", "4.25", ("Financial data",), chosen=False)
    china = GradeLine("china", "relatively_major", "", ("1,204,331 people in China",), chosen=True)
    dossier = replace(a_dossier(), grades=(china, people))
    assert answered(dossier)["severity"].text == "Severity for people: very high (4.25), suggested"
    assert (
        answered(dossier, form=CAC, language="zh")["level"].text == "网络安全事件级别：较大\n1,204,331 people in China"
    )
