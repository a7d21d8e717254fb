-- How Snowflake reads silver, and nothing else of the bucket. `describe integration vp_silver` shows the user and the
-- external ID that the role's trust (infra/aws) must name.
use role accountadmin;

create storage integration if not exists vp_silver
type = external_stage storage_provider = 's3' enabled = true
storage_aws_role_arn = '${aws_role_arn}'
storage_allowed_locations = ('s3://${lake}/silver/');

grant usage on integration vp_silver to role sysadmin;

use role sysadmin;

-- Logical types: timestamps come as timestamps, not as numbers.
create file format if not exists veracitypro.raw.silver_parquet
type = parquet use_logical_type = true use_vectorized_scanner = true binary_as_text = false;

create stage if not exists veracitypro.raw.silver_stage
url = 's3://${lake}/silver/' storage_integration = vp_silver
file_format = (format_name = 'veracitypro.raw.silver_parquet');
