-- What counts, but for its day: it was received or done before the campaign's first day, so that no
-- metric has it (macros/metrics.sql). An edition lists it among what is not counted, and says whose
-- deadlines are its: those run by law, whenever a case came.
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
    where record_kind = 'PREV' or (record_kind = 'LHP' and is_recap)
)

select
    contributor_id,
    channel,
    record_kind,
    regency_code,
    week_id
from facts
where fact_date < {{ campaign_start(ref('stage')) }}
