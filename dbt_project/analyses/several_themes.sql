-- Berapa dugaan pelanggaran memuat lebih dari satu isu?
select count(*) as cases
from marts.obt_case
where is_suspected_violation and issue_count > 1;
