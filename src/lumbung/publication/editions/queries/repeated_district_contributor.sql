select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from published.metric_contributor
where edition_id = %(repeated)s and metric_code in ('district', 'detail')
