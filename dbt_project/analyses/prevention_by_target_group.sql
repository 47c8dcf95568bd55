-- Sasaran mana yang dijangkau isian Formulir Pencegahan, dan berapa kegiatan?
select target_group_code, count(*) as activities
from marts.obt_prevention
cross join unnest(target_group_codes) as target_group_code
where is_form_entry
group by target_group_code
order by target_group_code;
