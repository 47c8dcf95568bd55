-- Berapa dugaan pelanggaran diterima tiap bulan?
select month_name, count(*) as cases
from marts.obt_case
inner join marts.dim_date on received_date = date_day
where is_suspected_violation
group by year_number, month_number, month_name
order by year_number, month_number;
