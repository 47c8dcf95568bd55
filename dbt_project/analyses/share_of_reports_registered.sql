-- Berapa persen laporan yang diterima pada Oktober 2024 diregistrasi?
select round(100.0 * count(*) filter (where registration_outcome = 'registered') / count(*), 1) as pct
from marts.obt_case
where record_kind = 'LP' and received_date between '2024-10-01' and '2024-10-31';
