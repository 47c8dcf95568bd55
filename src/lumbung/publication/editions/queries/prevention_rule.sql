select coalesce(jsonb_agg(to_jsonb(rules) order by precedence, rule_code collate "C"), '[]')
from marts.dim_prevention_rule as rules
where is_active
