{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    district_code,
    regency_code,
    district_name,
    bps_code
from {{ ref('district') }}
