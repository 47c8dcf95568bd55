select distinct rule_code from reference.deadline_rule
