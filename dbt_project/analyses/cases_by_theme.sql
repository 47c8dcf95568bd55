-- Berapa dugaan pelanggaran memuat tiap isu? Satu kasus dapat memuat beberapa isu.
select issue_code, count(*) as cases
from marts.obt_case_issue
where is_suspected_violation
group by issue_code
order by issue_code;
