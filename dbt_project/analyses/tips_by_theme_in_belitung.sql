-- Isu apa yang dimuat informasi awal dari Belitung?
select issue_code, count(*) as tips
from marts.obt_case_issue
where record_kind = 'IA' and regency_name = 'Kabupaten Belitung'
group by issue_code
order by issue_code;
