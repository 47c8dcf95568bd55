"""Prevention in the demo's world: what is done, planned and missing, and where numbers end."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from lumbung.settings import Settings
from tests.support.against_truth import facts_equal_truth, prevention_equals_truth
from tests.warehouse.conftest import query

Demo = tuple[str, Settings, dict[str, Any]]


def test_activities_have_the_form_groups_and_themes_of_the_world(demo: Demo) -> None:
    url, _, truth = demo
    facts_equal_truth(url, truth)
    words = query(
        url,
        "select check_code, split_part(detail, ':', 1) from marts.fct_review_item"
        " where channel = 'form_pencegahan'"
        " and check_code in ('word_unknown', 'count_unreadable') order by 1",
    )
    assert words == [("count_unreadable", "participants"), ("word_unknown", "prevention_form")]


def test_no_metric_counts_an_entry_of_the_form(demo: Demo) -> None:
    url, *_ = demo
    assert query(
        url,
        "select count(*) from reporting.rpt_metric_contributor as m"
        " inner join marts.fct_prevention as p on m.contributor_id = p.prevention_id"
        " where p.is_form_entry",
    ) == [(0,)]
    assert query(url, "select count(*) > 100 from marts.fct_prevention where is_form_entry") == [
        (True,)
    ]


def test_plans_needs_participation_and_reach_are_those_of_the_world(demo: Demo) -> None:
    url, _, truth = demo
    prevention_equals_truth(url, truth)
    overdue = query(url, "select distinct is_overdue from marts.fct_prevention_plan")
    assert sorted(overdue) == [(False,), (True,)]
    ((villages,),) = query(url, "select count(*) from marts.agg_village_reach")
    assert villages > 30


def test_the_office_sees_where_prevention_is_missing(demo: Demo) -> None:
    """Money politics, civil servants, and ethnic and black campaigning: each in its regency."""
    url, *_ = demo
    assert query(
        url,
        "select regency_code, issue_code, done_count, planned_count, gap_count, rule_code,"
        " suggested_kind_code, is_marked from marts.agg_prevention_need"
        " where week_id = '2024-W47' and gap_count > 0 order by 1, 2",
    ) == [
        ("19.02", "KH", 1, 5, 5, "GAP_KH", "LITERASI_MEDSOS", True),
        ("19.02", "SARA", 1, 6, 6, "GAP_SARA", "FORUM_WARGA", True),
        ("19.04", "ASN", 2, 8, 8, "GAP_ASN", "IMBAUAN_TERTULIS", True),
        ("19.06", "APK", 4, 3, 2, "GAP_ANY", "MONITORING", True),
        ("19.71", "PU", 1, 12, 12, "GAP_PU", "PATROLI", True),
    ]
    ((forms, groups, percent),) = query(
        url,
        "select done_by_form, done_by_target_group, round(reached_group_pct, 2)"
        " from marts.agg_prevention_need"
        " where week_id = '2024-W47' and (regency_code, issue_code) = ('19.71', 'PU')",
    )
    assert sum(forms.values()) == 1
    assert groups == {"WARGA": 1, "TOKOH_MASYARAKAT": 1}
    assert float(percent) == 13.33  # 2 of 15 groups
    # every suggestion leads to its rule, and the rule's conditions hold for the row's own numbers
    broken = query(
        url,
        "select n.regency_code, n.issue_code, n.week_id from marts.agg_prevention_need as n"
        " left join marts.dim_prevention_rule as r using (rule_code)"
        " where n.rule_code is not null and (r.is_active is not true"
        " or not n.issue_code = any(coalesce(r.issue_codes, array[n.issue_code]))"
        " or n.last_4_weeks_count < r.min_case_count or n.gap_count < r.min_gap_count"
        " or n.done_count > r.max_done_count or n.planned_count > r.max_planned_count)",
    )
    assert broken == []


def test_rates_of_participation_are_of_voters(demo: Demo) -> None:
    """Bangka Tengah has 144,548 voters; a place that is not known has none."""
    url, _, truth = demo
    count = sum(
        row["record_kind"] in ("LP", "IA") and row["regency_code"] == "19.04"
        for row in truth["reports"]
    )
    ((rate,),) = query(
        url,
        "select round(sum(per_10000_voters), 6) from marts.agg_participation"
        " where regency_code = '19.04'",
    )
    assert float(rate) == round(10000 * count / 144_548, 6)
    assert query(
        url,
        "select count(per_10000_voters), count(*) > 0 from marts.agg_participation"
        " where regency_code = '19.00'",
    ) == [(0, True)]


def test_published_scores_stand_beside_and_are_mixed_into_nothing(demo: Demo) -> None:
    url, *_ = demo
    assert query(
        url,
        "select region_code, dimension_code, release_name, score, class_name"
        " from marts.dim_vulnerability_score order by 1",
    ) == [
        ("19", "ALL", "IKP, Desember 2022", Decimal("29.89"), "Rawan sedang"),
        ("19.02", "ALL", "IKP Pilkada 2024", Decimal("15.78"), "Sedang"),
    ]
    dimensions = query(url, "select dimension_code from reference.vulnerability_dimension")
    assert {code for (code,) in dimensions} == {
        *("ALL", "SOSIAL_POLITIK", "PENYELENGGARAAN", "KONTESTASI", "PARTISIPASI"),
    }
    models = Path(__file__).parents[2] / "dbt_project" / "models"
    seed = "ref('vulnerability_score')"
    readers = {file.stem for file in models.rglob("*.sql") if seed in file.read_text("utf-8")}
    assert readers == {"dim_vulnerability_score"}
