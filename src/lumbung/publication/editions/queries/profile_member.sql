-- what the profile counts: cases of every kind that name the theme
select
    'profile' as figure_code,
    i.issue_code as category_code,
    m.regency_code,
    m.week_id,
    m.member_id
from reporting.rpt_figure_member as m
inner join marts.bridge_report_issue as i on m.member_id = i.report_id
where m.figure_code in ('suspected_violation', 'tip') and m.week_id <= %(week)s
