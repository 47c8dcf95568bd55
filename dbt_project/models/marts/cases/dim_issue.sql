{{ config(tags=['static']) }}
select
    issues.issue_code,
    issues.issue_name,
    issues.issue_name_en,
    issues.issue_group_code,
    groups.issue_group_name,
    groups.issue_group_name_en,
    issues.sort_order
from {{ ref('issue') }} as issues
inner join {{ ref('issue_group') }} as groups on issues.issue_group_code = groups.issue_group_code
