select
    'prevention_need' as metric_code,
    terms.issue_code as category_code,
    activities.regency_code,
    activities.week_id,
    activities.prevention_id as contributor_id
from marts.fct_prevention as activities
inner join marts.bridge_prevention_issue as terms
    on activities.prevention_id = terms.prevention_id
where
    coalesce(left(activities.regency_code, 2) = any(%(provinces)s), true)
    and activities.week_id in (
        select distinct metrics.week_id
        from reporting.rpt_metric as metrics
        where metrics.week_id <= %(week)s
        order by metrics.week_id desc
        limit 4
    )
