-- Berapa laporan dan temuan yang registrasinya belum diputuskan, per kabupaten/kota?
select regency_code, count(*) as cases
from marts.obt_case
where registration_outcome = 'pending'
group by regency_code
order by regency_code;
