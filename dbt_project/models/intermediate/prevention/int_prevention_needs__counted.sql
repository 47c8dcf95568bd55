-- One row per regency, theme and week that has ended: how many cases name the theme, what was done
-- against it in the four weeks to that one, and what was planned for them.
--
--     planned  the activities of each plan against the theme, by the share of its days that lie in the four
--              weeks, summed and rounded to a whole number
--     gap      of each plan this share less the activities of these days that fulfil it, and 0 where more do;
--              summed and rounded likewise
with weeks as (
    {{ ended_weeks() }}
),

windows as (
    select
        ended.week_id,
        ended.week_start_date - 21 as first_date,
        ended.week_start_date + 6 as last_date,
        weeks.week_id as done_week_id
    from weeks as ended
    inner join weeks on ended.number - weeks.number between 0 and 3
),

themed as (
    select *
    from {{ ref('int_activity_terms__classified') }}
    where vocabulary = 'issue'
),

done as (
    select
        week_id,
        regency_code,
        code as issue_code,
        sum(form_count)::bigint as done_count,
        sum(form_participant_count)::bigint as done_participant_count,
        jsonb_object_agg(coalesce(prevention_form_code, 'UNSTATED'), form_count) as done_by_form
    from (
        select
            windows.week_id,
            themed.regency_code,
            themed.code,
            themed.prevention_form_code,
            count(*) as form_count,
            sum(themed.participant_count) as form_participant_count
        from themed
        inner join windows on themed.week_id = windows.done_week_id
        group by windows.week_id, themed.regency_code, themed.code, themed.prevention_form_code
    ) as forms
    group by week_id, regency_code, code
),

reached as (
    select
        week_id,
        regency_code,
        issue_code,
        count(*) as reached_group_count,
        jsonb_object_agg(target_group_code, group_count) as done_by_target_group
    from (
        select
            windows.week_id,
            themed.regency_code,
            themed.code as issue_code,
            addressed.code as target_group_code,
            count(*) as group_count
        from themed
        inner join windows on themed.week_id = windows.done_week_id
        inner join {{ ref('int_activity_terms__classified') }} as addressed
            on themed.activity_id = addressed.activity_id and addressed.vocabulary = 'target_group'
        group by windows.week_id, themed.regency_code, themed.code, addressed.code
    ) as target_groups
    group by week_id, regency_code, issue_code
),

planned as (
    select
        shares.week_id,
        shares.regency_code,
        issues.issue_code,
        round(sum(shares.activity_count))::bigint as planned_count,
        round(sum(greatest(shares.activity_count - shares.fulfilling_count, 0)))::bigint as gap_count
    from (
        select
            spans.week_id,
            plans.regency_code,
            plans.issue_codes,
            plans.planned_activity_count::numeric
            * (least(plans.end_date, spans.last_date) - greatest(plans.start_date, spans.first_date) + 1)
            / (plans.end_date - plans.start_date + 1) as activity_count,
            (
                select count(*)
                from unnest(plans.done_dates) as activities (activity_date)
                where activities.activity_date between spans.first_date and spans.last_date
            ) as fulfilling_count
        from {{ ref('int_prevention_plans__measured') }} as plans
        inner join (
            select distinct
                week_id,
                first_date,
                last_date
            from windows
        ) as spans
            on plans.start_date <= spans.last_date and plans.end_date >= spans.first_date
    ) as shares
    cross join lateral unnest(shares.issue_codes) as issues (issue_code)
    group by shares.week_id, shares.regency_code, issues.issue_code
)

select
    profiles.regency_code,
    profiles.issue_code,
    profiles.week_id,
    profiles.case_count,
    profiles.last_4_weeks_count,
    profiles.previous_4_weeks_count,
    profiles.trend_code,
    profiles.is_marked,
    coalesce(done.done_count, 0) as done_count,
    done.done_participant_count,
    coalesce(done.done_by_form, '{}') as done_by_form,
    coalesce(reached.done_by_target_group, '{}') as done_by_target_group,
    coalesce(reached.reached_group_count, 0) as reached_group_count,
    trim_scale(
        100 * coalesce(reached.reached_group_count, 0)::numeric
        / (select count(*) from {{ ref('target_group') }})
    ) as reached_group_pct,
    coalesce(planned.planned_count, 0) as planned_count,
    coalesce(planned.gap_count, 0) as gap_count,
    profiles.last_4_weeks_prevention_count as recap_count
from {{ ref('int_issue_profiles__measured') }} as profiles
{%- for relation in ['done', 'reached', 'planned'] %}
left join {{ relation }}
    on
        profiles.week_id = {{ relation }}.week_id
        and profiles.regency_code = {{ relation }}.regency_code
        and profiles.issue_code = {{ relation }}.issue_code
{%- endfor %}
