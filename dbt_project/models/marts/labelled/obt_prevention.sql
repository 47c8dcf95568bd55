{{ config(tags=['static'], meta={'published_as': 'view'}) }}
with issues as (
    {{ terms_by('prevention_id', ref('bridge_prevention_issue'), ref('dim_issue'), 'issue') }}
),

target_groups as (
    {{ terms_by(
        'prevention_id', ref('bridge_prevention_target_group'), ref('dim_target_group'), 'target_group'
    ) }}
)

select
    preventions.activity_date,
    preventions.week_id,
    {{ place('preventions') }},
    coalesce(preventions.village_code, 'UNSTATED') as village_code,
    coalesce(villages.village_name, 'Tidak disebutkan') as village_name,
    preventions.prevention_id,
    preventions.channel,
    channels.channel_name,
    {{ named('preventions.prevention_form_code', 'forms', 'prevention_form') }},
    {{ named('preventions.prevention_kind_code', 'kinds', 'prevention_kind') }},
    {{ named('preventions.stage_code', 'stages', 'stage') }},
    {{ named('preventions.office_level_code', 'levels', 'office_level') }},
    {{ named('preventions.venue_kind_code', 'venue_kinds', 'venue_kind') }},
    coalesce(issues.codes, '{}') as issue_codes,
    coalesce(issues.names, 'Tidak disebutkan') as issue_names,
    coalesce(issues.names_en, 'Not stated') as issue_names_en,
    coalesce(target_groups.codes, '{}') as target_group_codes,
    coalesce(target_groups.names, 'Tidak disebutkan') as target_group_names,
    coalesce(target_groups.names_en, 'Not stated') as target_group_names_en,
    preventions.is_form_entry,
    not preventions.is_form_entry and preventions.activity_date >= {{ campaign_start(ref('dim_stage')) }}
        as is_counted_in_metrics,
    preventions.participant_count
from {{ ref('fct_prevention') }} as preventions
{{ join_places('preventions') }}
left join {{ ref('dim_village') }} as villages on preventions.village_code = villages.village_code
left join {{ ref('dim_channel') }} as channels on preventions.channel = channels.channel
left join {{ ref('dim_prevention_form') }} as forms
    on preventions.prevention_form_code = forms.prevention_form_code
left join {{ ref('prevention_kind') }} as kinds
    on preventions.prevention_kind_code = kinds.prevention_kind_code
left join {{ ref('dim_stage') }} as stages on preventions.stage_code = stages.stage_code
left join {{ ref('office_level') }} as levels on preventions.office_level_code = levels.office_level_code
left join {{ ref('dim_venue_kind') }} as venue_kinds
    on preventions.venue_kind_code = venue_kinds.venue_kind_code
left join issues on preventions.prevention_id = issues.prevention_id
left join target_groups on preventions.prevention_id = target_groups.prevention_id
