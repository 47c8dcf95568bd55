-- the places of the country's edition, as in `label`
select jsonb_agg(
    jsonb_build_object(
        'code', provinces.province_code, 'bps_code', provinces.bps_code,
        'name', provinces.province_name,
        'tile_row', provinces.tile_row, 'tile_col', provinces.tile_col, 'is_unknown', false,
        'voters', regencies.voter_count, 'stations', regencies.polling_station_count
    )
    order by provinces.province_code collate "C"
)
from reference.province as provinces
inner join (
    select
        province_code,
        sum(voter_count) as voter_count,
        sum(polling_station_count) as polling_station_count
    from marts.dim_regency
    group by province_code
) as regencies
    on provinces.province_code = regencies.province_code
