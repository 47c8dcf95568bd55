select
    regency_code,
    district_code,
    district_name,
    group_code,
    to_date_value
from published.district_metric
where edition_id = %(repeated)s
