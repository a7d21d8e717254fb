-- Compute: stops after a minute without work, and at a limit of credits a month.
use role accountadmin;

create resource monitor if not exists ${prefix}_monthly
with credit_quota = 100 frequency = monthly start_timestamp = immediately
triggers on 80 percent do notify on 100 percent do suspend on 110 percent do suspend_immediate;

create warehouse if not exists ${warehouse}
warehouse_size = 'xsmall' auto_suspend = 60 auto_resume = true initially_suspended = true
resource_monitor = ${prefix}_monthly comment = 'Loads RAW and builds small models';

create warehouse if not exists ${warehouse_large}
warehouse_size = 'medium' auto_suspend = 60 auto_resume = true initially_suspended = true
resource_monitor = ${prefix}_monthly comment = 'Builds large models: VP_SNOWFLAKE_WAREHOUSE_LARGE';

create warehouse if not exists ${prefix}_read
warehouse_size = 'xsmall' auto_suspend = 60 auto_resume = true initially_suspended = true
resource_monitor = ${prefix}_monthly comment = 'Dashboards and people';

alter warehouse ${warehouse} set statement_timeout_in_seconds = 1800;
alter warehouse ${warehouse_large} set statement_timeout_in_seconds = 3600;
alter warehouse ${prefix}_read set statement_timeout_in_seconds = 300;

grant usage on warehouse ${warehouse} to role ${prefix}_loader;
grant usage on warehouse ${warehouse} to role ${prefix}_transformer;
grant usage on warehouse ${warehouse_large} to role ${prefix}_transformer;
grant usage on warehouse ${warehouse} to role ${prefix}_publisher;
grant usage on warehouse ${prefix}_read to role ${reader_role};
