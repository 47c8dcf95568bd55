-- Berapa dugaan pelanggaran diterima sebelum hari pertama kampanye, sehingga tidak dihitung dalam
-- edisi?
select count(*) as cases
from marts.obt_case
where is_suspected_violation and not is_counted_in_metrics;
