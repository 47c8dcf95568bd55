-- Kecamatan mana yang tidak menyampaikan rekap pekan kampanye ke-6?
select district_code, district_name
from marts.obt_recap
where campaign_week_number = 6 and not is_submitted
order by district_code;
