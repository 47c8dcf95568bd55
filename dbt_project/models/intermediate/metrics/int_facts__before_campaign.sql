-- Facts that only their day excludes from the metrics (macros/metrics.sql): received or done before the
-- campaign's first day. An edition lists them among what is not counted. It still lists the deadlines
-- of these cases, because the law sets them whenever a case was received.
with facts as (
    select
        report_id as contributor_id,
        channel,
        record_kind,
        regency_code,
        week_id,
        received_date as fact_date
    from {{ ref('int_reports__located') }}
    union all
    select
        activity_id as contributor_id,
        channel,
        record_kind,
        regency_code,
        week_id,
        activity_date as fact_date
    from {{ ref('int_activities__located') }}
    where (record_kind = 'PREV' and is_form_entry is not true) or (record_kind = 'LHP' and is_recap)
)

select
    contributor_id,
    channel,
    record_kind,
    regency_code,
    week_id
from facts
where fact_date < {{ campaign_start(ref('stage')) }}
