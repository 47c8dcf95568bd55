select
    s.district_code,
    d.district_name,
    left(s.regency_code, %(code_length)s) as regency_code,
    s.is_submitted,
    s.row_count,
    (
        select max(p.week_id)
        from marts.fct_submission as p
        where p.district_code = s.district_code and p.week_id <= %(week)s and p.is_submitted
    ) as last_week_id
from marts.fct_submission as s
inner join marts.dim_district as d on s.district_code = d.district_code
where s.week_id = %(week)s and coalesce(left(s.regency_code, 2) = any(%(provinces)s), true)
