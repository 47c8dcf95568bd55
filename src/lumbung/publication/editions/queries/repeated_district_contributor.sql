select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from published.metric_contributor
where
    (edition_id = %(repeated)s and metric_code = 'district')
    or (edition_id = %(repeated_details)s and metric_code = 'detail')
