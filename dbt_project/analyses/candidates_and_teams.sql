-- Berapa persen terlapor adalah pasangan calon atau tim kampanye?
select
    round(100.0 * count(*) filter (where accused_role_code in ('PASLON', 'TIMKAM')) / count(*), 1) as pct
from marts.obt_case
where is_suspected_violation;
