-- Berapa dugaan pelanggaran belum diberi jenis pelanggaran?
select count(*) as cases
from marts.obt_case
where is_suspected_violation and violation_type_count = 0;
