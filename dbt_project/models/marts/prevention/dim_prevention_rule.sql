{{ config(tags=['static']) }}
select
    rule_code,
    precedence,
    is_active,
    string_to_array(issue_codes, ' ') as issue_codes,
    min_case_count,
    trend_code,
    is_marked,
    max_done_count,
    max_planned_count,
    min_gap_count,
    prevention_kind_code,
    target_group_code,
    suggestion,
    suggestion_en,
    source
from {{ ref('prevention_rule') }}
