-- Tips of the campaign that a person has joined with a counted report or finding: one event.
with events as (
    select
        report_id_a as tip_id,
        report_id_b as case_id
    from marts.fct_report_pair
    where state_code = 'same_event'
    union all
    select
        report_id_b as tip_id,
        report_id_a as case_id
    from marts.fct_report_pair
    where state_code = 'same_event'
)

select count(distinct tips.contributor_id)
from events
inner join reporting.rpt_metric_contributor as tips
    on events.tip_id = tips.contributor_id and tips.metric_code = 'tip'
inner join reporting.rpt_metric_contributor as cases
    on events.case_id = cases.contributor_id and cases.metric_code = 'suspected_violation'
where tips.week_id <= %(week)s and cases.week_id <= %(week)s
