{{ config(tags=['static'], meta={'published_as': 'view'}) }}
with issues as (
    {{ terms_by('report_id', ref('bridge_report_issue'), ref('dim_issue'), 'issue') }}
),

violation_types as (
    {{ terms_by(
        'report_id', ref('bridge_report_violation_type'), ref('dim_violation_type'), 'violation_type'
    ) }}
)

select
    cases.received_date,
    cases.week_id,
    cases.occurred_date,
    cases.known_date,
    {{ place('cases') }},
    coalesce(cases.village_code, 'UNSTATED') as village_code,
    coalesce(villages.village_name, 'Tidak disebutkan') as village_name,
    cases.report_id,
    cases.register_number,
    cases.channel,
    channels.channel_name,
    cases.record_kind,
    kinds.category_name as record_kind_name,
    kinds.category_name_en as record_kind_name_en,
    {{ named('elections.election_code', 'elections', 'election') }},
    {{ named('cases.stage_code', 'stages', 'stage') }},
    coalesce(issues.codes, '{}') as issue_codes,
    coalesce(issues.names, 'Tidak disebutkan') as issue_names,
    coalesce(issues.names_en, 'Not stated') as issue_names_en,
    coalesce(violation_types.codes, '{}') as violation_type_codes,
    coalesce(violation_types.names, 'Tidak disebutkan') as violation_type_names,
    coalesce(violation_types.names_en, 'Not stated') as violation_type_names_en,
    {{ named('cases.accused_role_code', 'roles', 'role', as='accused_role') }},
    {{ named(
        'cases.observer_organisation_code', 'organisations', 'observer_organisation'
    ) }},
    cases.campaign_context_code,
    contexts.campaign_context_name,
    contexts.campaign_context_name_en,
    {{ named('cases.status_code', 'statuses', 'status') }},
    cases.registration_outcome,
    outcomes.category_name as registration_outcome_name,
    outcomes.category_name_en as registration_outcome_name_en,
    reasons.non_registration_reason_code,
    reasons.non_registration_reason_name,
    reasons.non_registration_reason_name_en,
    results.category_code as result_code,
    results.category_name as result_name,
    results.category_name_en as result_name_en,
    cases.forwarding_target_code,
    targets.forwarding_target_name,
    targets.forwarding_target_name_en,
    cases.record_kind in ('LP', 'TM') as is_suspected_violation,
    cases.received_date >= {{ campaign_start(ref('dim_stage')) }} as is_counted_in_metrics,
    cases.is_late,
    cases.forwarding_target_code is not null as is_forwarded,
    cases.is_follow_up_closed,
    cases.received_date - cases.known_date as days_from_known_to_received,
    1 as case_count,
    coalesce(cardinality(issues.codes), 0) as issue_count,
    coalesce(cardinality(violation_types.codes), 0) as violation_type_count
from {{ ref('fct_report') }} as cases
{{ join_places('cases') }}
left join {{ ref('dim_village') }} as villages on cases.village_code = villages.village_code
left join {{ ref('dim_channel') }} as channels on cases.channel = channels.channel
left join {{ ref('category') }} as kinds
    on kinds.vocabulary = 'record_kind' and cases.record_kind = kinds.category_code
left join {{ ref('dim_election') }} as elections
    on cases.register_election_code = elections.register_election_code
left join {{ ref('dim_stage') }} as stages on cases.stage_code = stages.stage_code
left join issues on cases.report_id = issues.report_id
left join violation_types on cases.report_id = violation_types.report_id
left join {{ ref('dim_role') }} as roles on cases.accused_role_code = roles.role_code
left join {{ ref('dim_observer_organisation') }} as organisations
    on cases.observer_organisation_code = organisations.observer_organisation_code
left join {{ ref('dim_campaign_context') }} as contexts
    on cases.campaign_context_code = contexts.campaign_context_code
left join {{ ref('dim_status') }} as statuses on cases.status_code = statuses.status_code
left join {{ ref('category') }} as outcomes
    on outcomes.vocabulary = 'registration_outcome' and cases.registration_outcome = outcomes.category_code
left join {{ ref('dim_non_registration_reason') }} as reasons
    on
        cases.registration_outcome = 'not_registered'
        and coalesce(cases.non_registration_reason_code, 'UNSTATED') = reasons.non_registration_reason_code
-- a number with Reg and an open status: the case is registered and still being handled
left join {{ ref('category') }} as results
    on
        results.vocabulary = 'case_result'
        and cases.registration_outcome = 'registered'
        and coalesce(statuses.result_code, 'IN_PROCESS') = results.category_code
left join {{ ref('dim_forwarding_target') }} as targets
    on cases.forwarding_target_code = targets.forwarding_target_code
