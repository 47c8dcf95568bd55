-- a case once in each group of themes, however many of its themes it names
select distinct
    'district' as metric_code,
    coalesce(r.district_code, '') || '/'
    || coalesce(%(groups)s::jsonb ->> m.category_code, %(other)s) as category_code,
    m.regency_code,
    m.week_id,
    m.contributor_id
from reporting.rpt_metric_contributor as m
left join marts.fct_report as r on m.contributor_id = r.report_id
where
    m.metric_code = 'suspected_violation_by_issue'
    and m.week_id between %(first)s and %(last)s
