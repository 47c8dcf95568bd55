select array_agg(distinct left(regency_code, 2)) from marts.dim_regency
