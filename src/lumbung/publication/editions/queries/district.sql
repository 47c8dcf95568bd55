select
    regency_code,
    district_code,
    district_name
from marts.dim_district
where coalesce(left(regency_code, 2) = any(%(provinces)s), true)
