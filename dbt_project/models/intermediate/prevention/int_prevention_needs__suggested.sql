-- The next step that the rules suggest for each need: the first rule in order of precedence that the office
-- has not switched off and whose every stated condition holds.
select
    needs.regency_code,
    needs.issue_code,
    needs.week_id,
    needs.case_count,
    needs.last_4_weeks_count,
    needs.previous_4_weeks_count,
    needs.trend_code,
    needs.is_marked,
    needs.done_count,
    needs.done_participant_count,
    needs.done_by_form,
    needs.done_by_target_group,
    needs.reached_group_count,
    needs.reached_group_pct,
    needs.planned_count,
    needs.gap_count,
    needs.recap_count,
    rules.rule_code,
    kinds.prevention_form_code as suggested_form_code,
    rules.prevention_kind_code as suggested_kind_code,
    rules.target_group_code as suggested_target_group_code
from {{ ref('int_prevention_needs__counted') }} as needs
left join lateral (
    select
        rules.rule_code,
        rules.prevention_kind_code,
        rules.target_group_code
    from {{ ref('prevention_rule') }} as rules
    where
        rules.is_active
        and coalesce(needs.issue_code = any(string_to_array(rules.issue_codes, ' ')), true)
        and coalesce(needs.last_4_weeks_count >= rules.min_case_count, true)
        and coalesce(needs.trend_code = rules.trend_code, true)
        and coalesce(needs.is_marked = rules.is_marked, true)
        and coalesce(needs.done_count <= rules.max_done_count, true)
        and coalesce(needs.planned_count <= rules.max_planned_count, true)
        and coalesce(needs.gap_count >= rules.min_gap_count, true)
    order by rules.precedence
    limit 1
) as rules on true
left join {{ ref('prevention_kind') }} as kinds on rules.prevention_kind_code = kinds.prevention_kind_code
