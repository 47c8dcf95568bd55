select left(min(regency_code), 2) from marts.dim_regency
