-- Pada hari apa kegiatan kampanye paling banyak diawasi?
select activity_date, count(*) as events
from marts.obt_supervision
where is_campaign_event
group by activity_date
order by events desc
fetch first row with ties;
