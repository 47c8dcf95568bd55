-- Di tempat seperti apa kegiatan kampanye diadakan?
select venue_kind_code, count(*) as events
from marts.obt_supervision
where is_counted_in_metrics
group by venue_kind_code
order by venue_kind_code;
