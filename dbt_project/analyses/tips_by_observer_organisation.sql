-- Berapa informasi awal berasal dari tiap organisasi pemantau?
select observer_organisation_code, count(*) as tips
from marts.obt_case
where record_kind = 'IA'
group by observer_organisation_code
order by observer_organisation_code;
