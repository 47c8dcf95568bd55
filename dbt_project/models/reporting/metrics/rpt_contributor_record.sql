{{ config(meta={'published_as': 'view'}) }}
-- The delivery that each contributor rests on; of a district's recap every row of it, also one that says
-- "nothing to report" and is in no fact.
select
    report_id as contributor_id,
    record_id,
    regency_code,
    week_id
from {{ ref('fct_report') }}
union all
select
    supervision_id as contributor_id,
    record_id,
    regency_code,
    week_id
from {{ ref('fct_supervision') }}
union all
select
    prevention_id as contributor_id,
    record_id,
    regency_code,
    week_id
from {{ ref('fct_prevention') }}
union all
select
    submissions.district_code || '/' || submissions.week_id as contributor_id,
    records.record_id,
    submissions.regency_code,
    submissions.week_id
from {{ ref('fct_submission') }} as submissions
cross join lateral unnest(submissions.record_ids) as records (record_id)
