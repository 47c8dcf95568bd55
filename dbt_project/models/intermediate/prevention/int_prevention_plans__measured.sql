-- What was done of each plan: the activities of its regency in its period, of its form, and with one of
-- its themes and target groups, where the plan names these. Nothing fulfils a plan that names something
-- unknown. An activity may fulfil several plans.
with activities as (
    select
        activities.activity_id,
        activities.regency_code,
        activities.activity_date,
        activities.prevention_form_code,
        activities.participant_count,
        array_agg(terms.code) filter (where terms.vocabulary = 'issue') as issue_codes,
        array_agg(terms.code) filter (where terms.vocabulary = 'target_group') as target_group_codes
    from {{ ref('int_activities__located') }} as activities
    left join {{ ref('int_activity_terms__classified') }} as terms
        on activities.activity_id = terms.activity_id
    where
        activities.record_kind = 'PREV'
        and activities.regency_code in (select regency_code from {{ ref('int_prevention_plans__located') }})
    group by
        activities.activity_id, activities.regency_code, activities.activity_date,
        activities.prevention_form_code, activities.participant_count
),

done as (
    select
        plans.plan_id,
        count(activities.activity_id) as done_activity_count,
        coalesce(array_agg(activities.activity_date) filter (where activities.activity_id is not null), '{}')
            as done_dates,
        sum(activities.participant_count) as done_participant_count
    from {{ ref('int_prevention_plans__located') }} as plans
    left join activities
        on
            plans.regency_code = activities.regency_code
            and plans.unknown_fields = '{}'
            and activities.activity_date between plans.start_date and plans.end_date
            and (
                plans.prevention_form_code is null
                or plans.prevention_form_code = activities.prevention_form_code
            )
            and (plans.issue_codes = '{}' or plans.issue_codes && activities.issue_codes)
            and (
                plans.target_group_codes = '{}'
                or plans.target_group_codes && activities.target_group_codes
            )
    group by plans.plan_id
)

select
    plans.plan_id,
    plans.channel,
    plans.regency_code,
    plans.start_date,
    plans.end_date,
    plans.prevention_form_code,
    plans.issue_codes,
    plans.target_group_codes,
    plans.unknown_fields,
    plans.office_level_code,
    plans.planned_activity_count,
    plans.planned_participant_count,
    plans.record_id,
    done.done_activity_count,
    done.done_participant_count,
    done.done_dates,
    greatest(plans.planned_activity_count - done.done_activity_count, 0) as remaining_activity_count,
    plans.end_date < {{ as_of_date() }}
    and done.done_activity_count < plans.planned_activity_count as is_overdue
from {{ ref('int_prevention_plans__located') }} as plans
inner join done on plans.plan_id = done.plan_id
