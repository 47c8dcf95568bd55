select jsonb_agg(to_jsonb(rules) order by precedence)
from marts.dim_prevention_rule as rules
where is_active
