-- Berapa isian Formulir Pencegahan tentang politik uang di tiap kabupaten/kota, dan berapa dugaan
-- politik uang?
select
    regency_code,
    (
        select count(*)
        from marts.obt_prevention as done
        where done.regency_code = regencies.regency_code and 'PU' = any(done.issue_codes)
    ) as preventions,
    (
        select count(*)
        from marts.obt_case as cases
        where
            cases.regency_code = regencies.regency_code
            and cases.is_suspected_violation
            and 'PU' = any(cases.issue_codes)
    ) as cases
from marts.dim_regency as regencies
where not is_unknown
order by regency_code;
