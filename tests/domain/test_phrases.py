from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from incident.domain.facts import UNKNOWN
from incident.domain.phrases import label, words

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("key", "value", "chinese", "english"),
    [
        ("malicious", True, "是", "yes"),
        ("minors", False, "否", "no"),
        ("cause", UNKNOWN, "暂未查明", "Not known yet"),
        ("people_count", 1_204_331, "1,204,331", "1,204,331"),
        ("data_kinds", ("name", "health"), "姓名、健康信息", "name, health"),
        ("properties", (), "无", "none"),
        ("residents", {"CN": 5, "US-CA": 7}, "中国大陆 5，加利福尼亚州 7", "mainland China 5, California 7"),
        ("residents", {}, "无", "nobody"),
        ("establishments", ("DE",), "德国", "DE"),
        ("cause", "防火墙规则被删除", "防火墙规则被删除", "防火墙规则被删除"),
        (
            "aware_at",
            datetime(2026, 3, 6, 16, 5, tzinfo=UTC),
            "2026年3月7日 00:05（Shanghai）",
            "7 Mar 2026, 00:05 Shanghai",
        ),
        ("aware_at", date(2026, 3, 6), "2026年3月6日", "6 Mar 2026"),
    ],
)
def test_a_value_in_both_languages(key: str, value: object, chinese: str, english: str) -> None:
    assert words(key, value, SHANGHAI, "zh") == chinese  # type: ignore[arg-type]
    assert words(key, value, SHANGHAI, "en") == english  # type: ignore[arg-type]


def test_a_fact_without_a_chinese_name_keeps_its_english_one() -> None:
    assert (label("cause", "zh"), label("small_agent", "zh")) == ("原因", label("small_agent", "en"))
