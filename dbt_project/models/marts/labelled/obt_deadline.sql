{{ config(tags=['static'], meta={'published_as': 'view'}) }}
select
    deadlines.start_from_date,
    deadlines.start_to_date,
    deadlines.due_date,
    deadlines.extended_due_date,
    deadlines.latest_due_date,
    deadlines.end_from_date,
    nullif(deadlines.end_to_date, date '9999-12-31') as end_to_date,
    deadlines.as_of_date,
    cases.received_date,
    cases.week_id,
    {{ place('cases') }},
    deadlines.rule_code,
    rules.rule_name,
    rules.rule_name_en,
    rules.limit_days,
    rules.extension_days,
    deadlines.legal_source,
    rules.is_verified,
    deadlines.report_id,
    cases.register_number,
    cases.record_kind,
    kinds.category_name as record_kind_name,
    kinds.category_name_en as record_kind_name_en,
    deadlines.state_code,
    states.deadline_state_name as state_name,
    states.deadline_state_name_en as state_name_en,
    case
        when deadlines.state_code = 'MET' then true
        when deadlines.state_code in ('MISSED', 'OVERDUE') then false
    end as is_kept,
    deadlines.remaining_days
from {{ ref('fct_deadline') }} as deadlines
inner join {{ ref('fct_report') }} as cases on deadlines.report_id = cases.report_id
{{ join_places('cases') }}
left join {{ ref('dim_deadline_rule') }} as rules
    on
        deadlines.rule_code = rules.rule_code
        and deadlines.record_kind = rules.record_kind
        and deadlines.valid_from = rules.valid_from
left join {{ ref('category') }} as kinds
    on kinds.vocabulary = 'record_kind' and deadlines.record_kind = kinds.category_code
left join {{ ref('deadline_state') }} as states on deadlines.state_code = states.deadline_state_code
