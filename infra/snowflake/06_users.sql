-- The services' users sign in with a key pair: a service user has no password. Give the pipeline its public key with
-- `alter user vp_pipeline_user set rsa_public_key = '…'`.
use role useradmin;

create user if not exists vp_pipeline_user
type = service default_role = vp_pipeline default_warehouse = vp_load default_namespace = 'VERACITYPRO'
comment = 'The pipeline: VP_SNOWFLAKE_USER';
create user if not exists vp_reader_user
type = service default_role = vp_reader default_warehouse = vp_read default_namespace = 'VERACITYPRO.PUBLISHED'
comment = 'Dashboards and Power BI';

use role securityadmin;

grant role vp_pipeline to user vp_pipeline_user;
grant role vp_reader to user vp_reader_user;
