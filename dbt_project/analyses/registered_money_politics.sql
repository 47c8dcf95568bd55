-- Berapa laporan politik uang yang diregistrasi di Pangkalpinang pada pekan kampanye ke-9?
select count(*) as cases
from marts.obt_case
inner join marts.dim_week using (week_id)
where
    record_kind = 'LP'
    and 'PU' = any(issue_codes)
    and registration_outcome = 'registered'
    and regency_name = 'Kota Pangkal Pinang'
    and campaign_week_number = 9;
