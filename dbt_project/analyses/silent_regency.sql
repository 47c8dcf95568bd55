-- Kabupaten/kota mana yang pada suatu pekan tidak menyampaikan satu rekap pun?
select regency_code, week_id
from marts.obt_recap
group by regency_code, week_id
having not bool_or(is_submitted)
order by regency_code, week_id;
