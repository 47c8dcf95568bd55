-- Berapa kasus memuat tiap jenis pelanggaran?
select violation_type_code, count(*) as cases
from marts.obt_case
cross join unnest(violation_type_codes) as violation_type_code
where is_suspected_violation
group by violation_type_code
order by violation_type_code;
