{{ config(tags=['static'], meta={'published_as': 'view'}) }}
select
    cases.received_date,
    cases.week_id,
    cases.regency_code,
    cases.regency_name,
    cases.district_code,
    cases.district_name,
    {{ named('bridges.issue_code', 'issues', 'issue') }},
    {{ named('issues.issue_group_code', 'issues', 'issue_group') }},
    cases.report_id,
    cases.record_kind,
    cases.record_kind_name,
    cases.record_kind_name_en,
    cases.accused_role_code,
    cases.accused_role_name,
    cases.accused_role_name_en,
    cases.registration_outcome,
    cases.registration_outcome_name,
    cases.registration_outcome_name_en,
    cases.is_suspected_violation,
    cases.is_counted_in_metrics,
    coalesce(bridges.case_weight, 1) as case_weight
from {{ ref('obt_case') }} as cases
left join {{ ref('bridge_report_issue') }} as bridges on cases.report_id = bridges.report_id
left join {{ ref('dim_issue') }} as issues on bridges.issue_code = issues.issue_code
