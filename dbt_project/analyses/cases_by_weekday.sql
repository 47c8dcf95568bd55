-- Pada hari apa dugaan pelanggaran diterima?
select weekday_name, count(*) as cases
from marts.obt_case
inner join marts.dim_date on received_date = date_day
where is_suspected_violation
group by weekday_number, weekday_name
order by weekday_number;
