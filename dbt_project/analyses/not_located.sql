-- Berapa laporan, temuan, dan informasi awal yang lokasinya belum diketahui?
select record_kind_name, count(*) as cases
from marts.obt_case
where regency_code = '19.00'
group by record_kind_name
order by record_kind_name;
