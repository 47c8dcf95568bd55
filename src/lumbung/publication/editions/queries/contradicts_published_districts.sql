-- whether another edition has published different counts of districts for some of these weeks, other
-- details of the cases of a regency, or another comparison of the same activities
with published_details as (
    select
        edition_id,
        md5(string_agg(
            concat_ws('/', category_code, regency_code, contributor_id), ' '
            order by category_code, regency_code, contributor_id
        )) as details
    from published.metric_contributor
    where metric_code = 'detail'
    group by edition_id
),

published_cells as (
    select
        edition_id,
        md5(string_agg(
            concat_ws('/', regency_code, district_code, group_code, to_date_value), ' '
            order by regency_code, district_code, group_code
        )) as cells
    from published.district_metric
    group by edition_id
)

select exists (
    select
    from published.edition as other
    inner join published.edition as mine
        on
            other.area_code = mine.area_code
            and other.label -> 'district_weeks' ->> 0 <= mine.label -> 'district_weeks' ->> 1
            and mine.label -> 'district_weeks' ->> 0 <= other.label -> 'district_weeks' ->> 1
    inner join published_cells as theirs on other.edition_id = theirs.edition_id
    inner join published_cells as ours on mine.edition_id = ours.edition_id
    left join published_details as their_details on other.edition_id = their_details.edition_id
    left join published_details as our_details on mine.edition_id = our_details.edition_id
    where
        mine.edition_id = %(edition)s
        and other.state in ('approved', 'published')
        and (
            other.label -> 'district_weeks' <> mine.label -> 'district_weeks'
            or theirs.cells <> ours.cells
            or their_details.details <> our_details.details
        )
) or exists (
    select
    from published.edition as mine
    cross join lateral (
        select published.label
        from published.edition as published
        where
            published.area_code = mine.area_code
            and published.state in ('approved', 'published')
            and published.label ? 'effect'
        order by published.week_id desc, published.revision desc
        limit 1
    ) as newest
    cross join lateral jsonb_array_elements(mine.label -> 'effect') as ours
    inner join lateral jsonb_array_elements(newest.label -> 'effect') as theirs
        on ours ->> 'issue_code' = theirs ->> 'issue_code'
    where
        mine.edition_id = %(edition)s
        and ours <> theirs
        and abs((ours ->> 'activities')::integer - (theirs ->> 'activities')::integer)
        < %(more_activities)s
)
