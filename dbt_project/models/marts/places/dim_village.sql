{{ config(tags=['static']) }}
select
    village_code,
    district_code,
    substr(village_code, 1, 5) as regency_code,
    village_name,
    village_type
from {{ ref('village') }}
