select bps_code
from reference.province
where province_code = %(area)s
