{{ config(meta={'published_as': 'view'}) }}
select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from (
    {{ metric_contributors(
        ref('fct_report'),
        "(select report_id, 'issue' as vocabulary, issue_code as code from " ~ ref('bridge_report_issue')
        ~ " union all select report_id, 'violation_type', violation_type_code from "
        ~ ref('bridge_report_violation_type') ~ ")",
        "(select supervision_id as activity_id, regency_code, activity_date, week_id, 'LHP' as record_kind,"
        ~ " is_recap, null as is_form_entry, election_code, method_code, null as prevention_type_code from "
        ~ ref('fct_supervision')
        ~ " union all select prevention_id, regency_code, activity_date, week_id, 'PREV', null, is_form_entry,"
        ~ " null, null, prevention_type_code from "
        ~ ref('fct_prevention') ~ ")",
        ref('fct_submission'),
        ref('dim_status'),
        ref('dim_stage')
    ) }}
) as contributors
