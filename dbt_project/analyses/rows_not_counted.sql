-- Berapa kiriman mirip uji coba yang tidak dihitung, per kanal?
select channel, sum(record_count) as deliveries
from reporting.rpt_not_counted
where reason_code = 'test_row'
group by channel
order by channel;
