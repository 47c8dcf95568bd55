-- what a decision depends on; the row is locked, so that nobody else changes the edition's state
select
    state,
    (
        select max(n.revision)
        from published.edition as n
        where n.office_code = e.office_code and n.week_id = e.week_id
    ) as newest_revision,
    exists(
        select
        from published.checkpoint_pass as g
        where
            g.edition_id = e.edition_id
            and coalesce(g.until_date, 'infinity') >= (now() at time zone 'Asia/Jakarta')::date
    ) as is_checked
from published.edition as e
where edition_id = %(edition)s
for update
