-- Berapa kegiatan kampanye diawasi menurut metode, termasuk yang tidak disebutkan?
select method_code, count(*) as events
from marts.obt_supervision
where is_counted_in_metrics
group by method_code
order by method_code;
