-- Berapa kasus yang diregistrasi, dan untuk berapa di antaranya hari registrasi diketahui tepat?
select
    count(*) as registered,
    count(*) filter (where days_to_registration_min = days_to_registration_max) as exact
from marts.fct_case_lifecycle
where registration_outcome = 'registered';
