-- Berapa kasus dalam register yang diubah setelah pertama kali masuk, per kabupaten/kota sekarang?
select regency_code, count(distinct report_id) as cases
from marts.fct_case_version
where version_number > 1 and not is_withdrawn
group by regency_code
order by regency_code;
