select category_code as rule_code
from reporting.rpt_edition_name
where vocabulary = 'deadline_rule'
