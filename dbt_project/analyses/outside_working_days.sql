-- Berapa dugaan pelanggaran diterima pada akhir pekan atau hari libur nasional?
select count(*) as cases
from marts.obt_case
inner join marts.dim_date on received_date = date_day
where is_suspected_violation and (is_weekend or is_holiday);
