-- Berapa laporan dan temuan yang registrasinya belum diputuskan pada akhir 10 November 2024, paling
-- sedikit dan paling banyak?
select sum(undecided_min_count)::integer as at_least, sum(undecided_max_count)::integer as at_most
from marts.agg_backlog_day
where date_day = '2024-11-10';
