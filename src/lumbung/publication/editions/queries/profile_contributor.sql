-- what the profile counts: cases of every kind that name the theme
select
    'profile' as metric_code,
    i.issue_code as category_code,
    m.regency_code,
    m.week_id,
    m.contributor_id
from reporting.rpt_metric_contributor as m
inner join marts.bridge_report_issue as i on m.contributor_id = i.report_id
where m.metric_code in ('suspected_violation', 'tip') and m.week_id <= %(week)s
