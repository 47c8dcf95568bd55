-- Berapa persen rekap disampaikan oleh tiap kabupaten/kota selama kampanye?
select regency_code, round(100.0 * count(*) filter (where is_submitted) / count(*), 1) as pct
from marts.obt_recap
group by regency_code
order by regency_code;
