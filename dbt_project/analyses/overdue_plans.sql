-- Berapa rencana pencegahan yang masanya lewat tetapi belum terlaksana seluruhnya, per
-- kabupaten/kota?
select regency_code, count(*) as plans
from marts.fct_prevention_plan
where is_overdue
group by regency_code
order by regency_code;
