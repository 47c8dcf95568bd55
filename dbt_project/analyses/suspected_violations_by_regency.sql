-- Berapa dugaan pelanggaran di tiap kabupaten/kota sejak kampanye dimulai, termasuk yang lokasinya
-- belum diketahui?
select regency_code, regency_name, count(*) as cases
from marts.obt_case
where is_suspected_violation and is_counted_in_metrics
group by regency_code, regency_name
order by regency_code;
