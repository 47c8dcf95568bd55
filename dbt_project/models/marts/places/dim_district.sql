{{ config(tags=['static']) }}
select
    district_code,
    regency_code,
    district_name,
    bps_code
from {{ ref('district') }}
