-- Kecamatan mana yang memiliki sedikitnya tiga dugaan pelanggaran?
select district_name, count(*) as cases
from marts.obt_case
where is_suspected_violation and district_code <> 'UNSTATED'
group by district_code, district_name
having count(*) >= 3
order by cases desc, district_name;
