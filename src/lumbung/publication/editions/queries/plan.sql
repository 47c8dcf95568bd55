select
    plans.regency_code,
    plans.start_date,
    plans.end_date,
    forms.prevention_form_name,
    forms.prevention_form_name_en,
    plans.issue_codes,
    target_groups.names,
    target_groups.names_en,
    sum(plans.planned_activity_count) as planned_activity_count
from marts.fct_prevention_plan as plans
left join marts.dim_prevention_form as forms
    on plans.prevention_form_code = forms.prevention_form_code
cross join lateral (
    select
        array_agg(target_group_name order by sort_order) as names,
        array_agg(target_group_name_en order by sort_order) as names_en
    from marts.dim_target_group
    where target_group_code = any(plans.target_group_codes)
) as target_groups
where
    plans.end_date >= %(day)s
    and plans.start_date < %(day)s + 28
    and plans.planned_activity_count > 0
    and coalesce(left(plans.regency_code, 2) = any(%(provinces)s), true)
    -- what a plan intends is not known until its words are mapped
    and plans.unknown_fields = '{}'
group by
    plans.regency_code,
    plans.start_date,
    plans.end_date,
    forms.prevention_form_name,
    forms.prevention_form_name_en,
    plans.issue_codes,
    target_groups.names,
    target_groups.names_en
order by
    plans.start_date,
    plans.end_date,
    plans.regency_code collate "C",
    forms.prevention_form_name collate "C",
    plans.issue_codes,
    target_groups.names
