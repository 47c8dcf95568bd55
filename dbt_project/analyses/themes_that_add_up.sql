-- Bagaimana dugaan pelanggaran terbagi menurut kelompok isu sehingga jumlahnya sama dengan jumlah
-- kasus?
select issue_group_name, round(sum(case_weight), 1) as cases
from marts.obt_case_issue
where is_suspected_violation
group by issue_group_name
order by issue_group_name;
