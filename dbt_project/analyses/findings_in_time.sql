-- Berapa temuan yang hari penemuannya tercatat ditetapkan dalam tujuh hari?
select count(*) filter (where is_kept) as kept, count(*) as all_findings
from marts.obt_deadline
where rule_code = 'TEMUAN';
