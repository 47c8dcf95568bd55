-- Apa hasil penanganan kasus yang diregistrasi?
select result_code, count(*) as cases
from marts.obt_case
where registration_outcome = 'registered'
group by result_code
order by result_code;
