-- Berapa informasi awal untuk tiap dugaan pelanggaran, per kabupaten/kota?
select
    regency_code,
    round(
        1.0 * count(*) filter (where record_kind = 'IA') / count(*) filter (where is_suspected_violation), 2
    ) as tips_per_case
from marts.obt_case
group by regency_code
order by regency_code;
