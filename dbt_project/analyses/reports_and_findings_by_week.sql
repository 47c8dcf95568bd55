-- Berapa laporan dan temuan yang diterima tiap pekan kampanye?
select
    campaign_week_number,
    count(report_id) filter (where record_kind = 'LP') as reports,
    count(report_id) filter (where record_kind = 'TM') as findings
from marts.dim_week
left join marts.obt_case using (week_id)
where is_campaign
group by campaign_week_number
order by campaign_week_number;
