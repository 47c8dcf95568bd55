-- Berapa informasi awal yang masuk lewat tiap kanal?
select channel, count(*) as tips
from marts.obt_case
where record_kind = 'IA'
group by channel
order by channel;
