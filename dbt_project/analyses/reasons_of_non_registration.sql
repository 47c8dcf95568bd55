-- Mengapa laporan dan temuan tidak diregistrasi?
select non_registration_reason_code, count(*) as cases
from marts.obt_case
where registration_outcome = 'not_registered'
group by non_registration_reason_code
order by non_registration_reason_code;
