-- Compute: stops after a minute without work, and at a limit of credits a month.
use role accountadmin;

create resource monitor if not exists vp_monthly
with credit_quota = 100 frequency = monthly start_timestamp = immediately
triggers on 80 percent do notify on 100 percent do suspend on 110 percent do suspend_immediate;

create warehouse if not exists vp_load
warehouse_size = 'xsmall' auto_suspend = 60 auto_resume = true initially_suspended = true
resource_monitor = vp_monthly comment = 'Loads RAW and builds small models';

create warehouse if not exists vp_transform
warehouse_size = 'medium' auto_suspend = 60 auto_resume = true initially_suspended = true
resource_monitor = vp_monthly comment = 'Builds large models: VP_SNOWFLAKE_WAREHOUSE_LARGE';

create warehouse if not exists vp_read
warehouse_size = 'xsmall' auto_suspend = 60 auto_resume = true initially_suspended = true
resource_monitor = vp_monthly comment = 'Dashboards and people';

alter warehouse vp_load set statement_timeout_in_seconds = 1800;
alter warehouse vp_transform set statement_timeout_in_seconds = 3600;
alter warehouse vp_read set statement_timeout_in_seconds = 300;

grant usage on warehouse vp_load to role vp_loader;
grant usage on warehouse vp_load to role vp_transformer;
grant usage on warehouse vp_transform to role vp_transformer;
grant usage on warehouse vp_load to role vp_publisher;
grant usage on warehouse vp_read to role vp_reader;
