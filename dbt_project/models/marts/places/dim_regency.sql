{{ config(
    tags=['static'],
    post_hook="{{ make_regency_roles() }}"
) }}
select
    regency_code,
    {{ province_of('regency_code') }} as province_code,
    bps_code,
    regency_name,
    short_name,
    regency_type,
    district_count,
    village_count,
    polling_station_count,
    voter_count,
    tile_row,
    tile_col,
    is_unknown
from {{ ref('regency') }}
