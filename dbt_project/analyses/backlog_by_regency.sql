-- Berapa kasus yang pasti masih menunggu keputusan registrasi pada hari terakhir kampanye, per
-- kabupaten/kota?
select regency_code, undecided_min_count as cases
from marts.agg_backlog_day
where date_day = '2024-11-23' and undecided_min_count > 0
order by regency_code;
