-- Cases of the campaign that began as a tip, by kind: a person has joined the case with a counted tip as
-- one event; or a finding that is registered was traced as a tip before, according to the register.
with pairs as (
    select
        report_id_a as tip_id,
        report_id_b as report_id
    from marts.fct_report_pair
    where state_code = 'same_event'
    union all
    select
        report_id_b as tip_id,
        report_id_a as report_id
    from marts.fct_report_pair
    where state_code = 'same_event'
),

begun as (
    select pairs.report_id
    from pairs
    inner join reporting.rpt_metric_contributor as tips
        on pairs.tip_id = tips.contributor_id and tips.metric_code = 'tip'
    where tips.week_id <= %(week)s
    union
    select reports.report_id
    from marts.fct_report as reports
    inner join marts.fct_status_event as events on reports.report_id = events.report_id
    where
        events.to_status_code = 'penelusuran'
        and reports.record_kind = 'TM'
        and reports.registration_outcome = 'registered'
)

select jsonb_build_object(
    'LP', count(*) filter (where cases.category_code = 'LP'),
    'TM', count(*) filter (where cases.category_code = 'TM')
)
from begun
inner join reporting.rpt_metric_contributor as cases
    on begun.report_id = cases.contributor_id and cases.metric_code = 'report_received'
where cases.week_id <= %(week)s and coalesce(left(cases.regency_code, 2) = any(%(provinces)s), true)
