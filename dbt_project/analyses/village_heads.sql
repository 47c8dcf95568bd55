-- Apa keputusan registrasi atas dugaan pelanggaran dengan terlapor kepala desa, perangkat desa,
-- atau BPD?
select registration_outcome_name, count(*) as cases
from marts.obt_case
where is_suspected_violation and accused_role_code in ('KADES', 'PERANGKAT_DESA', 'BPD')
group by registration_outcome_name
order by registration_outcome_name;
