-- How Snowflake reads silver, and nothing else of the bucket. `describe integration vp_silver` shows the user and the
-- external ID that the role's trust (infra/aws) must name.
use role accountadmin;

create storage integration if not exists ${prefix}_silver
type = external_stage storage_provider = 's3' enabled = true
storage_aws_role_arn = '${aws_role_arn}'
storage_allowed_locations = ('s3://${lake}/silver/');

grant usage on integration ${prefix}_silver to role sysadmin;

use role sysadmin;

-- Logical types: timestamps come as timestamps, not as numbers.
create file format if not exists ${database}.${file_format}
type = parquet use_logical_type = true use_vectorized_scanner = true binary_as_text = false;

create stage if not exists ${database}.${stage}
url = 's3://${lake}/silver/' storage_integration = ${prefix}_silver
file_format = (format_name = '${database}.${file_format}');
