-- Siapa terlapor (jabatan) dalam dugaan pelanggaran netralitas ASN?
select accused_role_name, count(*) as cases
from marts.obt_case_issue
where issue_code = 'ASN' and is_suspected_violation
group by accused_role_name
order by accused_role_name;
