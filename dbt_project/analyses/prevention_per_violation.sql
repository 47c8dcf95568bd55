-- Berapa tindakan pencegahan dalam rekap untuk tiap dugaan pelanggaran, per kabupaten/kota?
with done as (
    select regency_code, count(*) as preventions
    from marts.obt_prevention
    where is_counted_in_metrics
    group by regency_code
),

found as (
    select regency_code, count(*) as cases
    from marts.obt_case
    where is_suspected_violation and is_counted_in_metrics
    group by regency_code
)

select regency_code, round(1.0 * preventions / cases, 1) as per_case
from done
inner join found using (regency_code)
order by regency_code;
