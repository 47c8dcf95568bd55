-- Pairs of cases that different channels may have told of the same event, scored, and what people
-- decided about them. Nothing is merged: a link is a row here, and both cases stay as they are.
--
-- Candidates lie in one regency and were received at most `link_window_days` apart. The score is
-- the sum of four agreements, 1 at most; what one side does not say counts for a little:
--     place  0.25 same district, 0.10 where one is not known
--     time   0.25 same day of the event, 0.15 a day apart, 0.10 where one is not known
--     theme  0.20 x shared themes / all themes of the two
--     text   0.30 x trigram similarity of the two narratives (pg_trgm)
-- A pair is listed from `link_threshold` on (docs/linking.md has what that finds and misses), or
-- when a person has decided on it, whatever its score is now.
with cases as (
    select
        reports.report_id,
        reports.channel,
        reports.regency_code,
        reports.district_code,
        reports.occurred_date,
        reports.received_date,
        lower(records.narrative_raw) as narrative,
        coalesce(themes.codes, '{}') as issue_codes
    from {{ ref('int_reports__located') }} as reports
    inner join {{ ref('stg_intake__records') }} as records on reports.record_id = records.record_id
    left join (
        select
            report_id,
            array_agg(code) as codes
        from {{ ref('int_report_terms__classified') }}
        where vocabulary = 'issue'
        group by report_id
    ) as themes on reports.report_id = themes.report_id
),

compared as (
    select
        a.report_id as report_id_a,
        b.report_id as report_id_b,
        a.district_code = b.district_code as is_same_district,
        abs(a.occurred_date - b.occurred_date) as days_apart,
        (
            select count(*) from (
                select unnest(a.issue_codes) as code
                intersect
                select unnest(b.issue_codes) as code
            ) as shared
        )::double precision / nullif((
            select count(*) from (
                select unnest(a.issue_codes) as code
                union
                select unnest(b.issue_codes) as code
            ) as either
        ), 0) as theme_agreement,
        similarity(a.narrative, b.narrative)::double precision as text_similarity
    from cases as a
    inner join cases as b
        on
            a.regency_code = b.regency_code
            and a.channel <> b.channel
            and a.report_id < b.report_id
            and b.received_date between a.received_date - {{ var('link_window_days') }}
            and a.received_date + {{ var('link_window_days') }}
    where a.regency_code <> '19.00'
),

scored as (
    select
        *,
        (
            case when is_same_district then 0.25 when is_same_district is null then 0.10 else 0 end
            + case
                when days_apart = 0 then 0.25
                when days_apart = 1 then 0.15
                when days_apart is null then 0.10
                else 0
            end
            + 0.20 * coalesce(theme_agreement, 0)
            + 0.30 * coalesce(text_similarity, 0)
        )::numeric(4, 2) as score
    from compared
),

decided as (
    select distinct on (report_id_a, report_id_b)
        report_id_a,
        report_id_b,
        decision_code,
        decided_at
    from {{ source('ops', 'link_decision') }}
    order by report_id_a asc, report_id_b asc, decision_id desc
),

pairs as (
    select
        coalesce(scored.report_id_a, decided.report_id_a) as report_id_a,
        coalesce(scored.report_id_b, decided.report_id_b) as report_id_b,
        scored.score,
        scored.is_same_district,
        scored.days_apart,
        scored.theme_agreement,
        scored.text_similarity,
        case when decided.decision_code <> 'undone' then decided.decision_code end as decision_code,
        case when decided.decision_code <> 'undone' then decided.decided_at end as decided_at
    from scored
    full outer join decided
        on scored.report_id_a = decided.report_id_a and scored.report_id_b = decided.report_id_b
)

select
    pairs.report_id_a,
    pairs.report_id_b,
    a.regency_code,
    a.channel as channel_a,
    b.channel as channel_b,
    pairs.score,
    array_remove(array[
        case when pairs.is_same_district then 'same_district' end,
        case when pairs.days_apart = 0 then 'same_day' when pairs.days_apart = 1 then 'a_day_apart' end,
        case when pairs.theme_agreement > 0 then 'shared_theme' end,
        case when pairs.text_similarity >= 0.5 then 'similar_text' end
    ], null) as reasons,
    coalesce(pairs.decision_code, 'candidate') as state_code,
    pairs.decided_at
from pairs
inner join cases as a on pairs.report_id_a = a.report_id
inner join cases as b on pairs.report_id_b = b.report_id
where pairs.decision_code is not null or pairs.score >= {{ var('link_threshold') }}
