select
    regency_code,
    district_code,
    district_name
from marts.dim_district
