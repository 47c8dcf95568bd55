-- Berapa dugaan pelanggaran terjadi dalam kegiatan kampanye, di luarnya, atau tidak disebutkan?
select campaign_context_code, count(*) as cases
from marts.obt_case
where is_suspected_violation
group by campaign_context_code
order by campaign_context_code;
