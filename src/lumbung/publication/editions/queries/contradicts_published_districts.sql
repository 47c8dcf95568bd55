-- whether another edition has published different counts of districts for some of these weeks
with published_cells as (
    select
        edition_id,
        md5(string_agg(
            concat_ws('/', regency_code, district_code, group_code, to_date_value), ' '
            order by regency_code, district_code, group_code
        )) as cells
    from published.district_metric
    group by edition_id
)

select exists(
    select
    from published.edition as other
    inner join published.edition as mine
        on
            other.label -> 'district_weeks' ->> 0 <= mine.label -> 'district_weeks' ->> 1
            and mine.label -> 'district_weeks' ->> 0 <= other.label -> 'district_weeks' ->> 1
    inner join published_cells as theirs on other.edition_id = theirs.edition_id
    inner join published_cells as ours on mine.edition_id = ours.edition_id
    where
        mine.edition_id = %(edition)s
        and other.state in ('approved', 'published')
        and (
            other.label -> 'district_weeks' <> mine.label -> 'district_weeks'
            or theirs.cells <> ours.cells
        )
)
