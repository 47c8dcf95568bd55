{{ config(meta={'published_as': 'view'}) }}
select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from (
    {{ edition_contributors(
        ref('fct_deadline'),
        "(select distinct week_id, week_start_date + 7 as judged_date from " ~ ref('dim_date') ~ ")",
        ref('rpt_metric_contributor'),
        ref('fct_report'),
        ref('bridge_report_issue'),
        ref('issue')
    ) }}
) as contributors
