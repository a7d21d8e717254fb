-- The services' users sign in with a key pair: a service user has no password. Give the pipeline its public key with
-- `alter user vp_pipeline_user set rsa_public_key = '…'`.
use role useradmin;

create user if not exists vp_pipeline_user
type = service default_role = vp_pipeline default_warehouse = vp_load default_namespace = 'VERACITYPRO'
comment = 'The pipeline: VP_SNOWFLAKE_USER';
create user if not exists vp_reader_user
type = service default_role = vp_reader default_warehouse = vp_read default_namespace = 'VERACITYPRO.PUBLISHED'
comment = 'Dashboards and Power BI';

-- What the account may have set otherwise and results depend on. The pipeline sets it for its sessions as well;
-- dashboards, and whoever signs in as these users by hand, get it from here.
alter user vp_pipeline_user set
timezone = 'UTC' timestamp_type_mapping = 'TIMESTAMP_NTZ' week_start = 1 week_of_year_policy = 0
date_input_format = 'AUTO' date_output_format = 'YYYY-MM-DD' timestamp_input_format = 'AUTO'
timestamp_ntz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF3' quoted_identifiers_ignore_case = false;
alter user vp_reader_user set
timezone = 'UTC' timestamp_type_mapping = 'TIMESTAMP_NTZ' week_start = 1 week_of_year_policy = 0
date_input_format = 'AUTO' date_output_format = 'YYYY-MM-DD' timestamp_input_format = 'AUTO'
timestamp_ntz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF3' quoted_identifiers_ignore_case = false;

use role securityadmin;

grant role vp_pipeline to user vp_pipeline_user;
grant role vp_reader to user vp_reader_user;
