-- Berapa persen kegiatan kampanye di tiap kabupaten/kota untuk pemilihan gubernur?
select regency_code, round(100.0 * count(*) filter (where election_code = 'PILGUB') / count(*), 1) as pct
from marts.obt_supervision
where is_campaign_event
group by regency_code
order by regency_code;
