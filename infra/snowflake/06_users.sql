-- The services' users sign in with a key pair: a service user has no password. Give the pipeline its public key with
-- `alter user vp_pipeline_user set rsa_public_key = '…'`.
use role useradmin;

create user if not exists ${role}_user
type = service default_role = ${role} default_warehouse = ${warehouse} default_namespace = '${namespace}'
comment = 'The pipeline: VP_SNOWFLAKE_USER';
create user if not exists ${reader_role}_user
type = service default_role = ${reader_role} default_warehouse = ${prefix}_read
default_namespace = '${namespace}.PUBLISHED'
comment = 'Dashboards and Power BI';

-- What the account may have set otherwise and results depend on. The pipeline sets it for its sessions as well;
-- dashboards, and whoever signs in as these users by hand, get it from here.
alter user ${role}_user set ${session_parameters};
alter user ${reader_role}_user set ${session_parameters};

use role securityadmin;

grant role ${role} to user ${role}_user;
grant role ${reader_role} to user ${reader_role}_user;
