-- The least that each role needs. Schemas are of managed access: only their owner grants.
use role securityadmin;

grant usage on database veracitypro to role vp_loader;
grant usage on database veracitypro to role vp_transformer;
grant usage on database veracitypro to role vp_publisher;
grant usage on database veracitypro to role vp_reader;

-- The loader makes and evolves the tables of RAW; the pipeline owns nothing outside the schemas of its layers.
grant usage, create table on schema veracitypro.raw to role vp_loader;
grant select, insert, update, delete on all tables in schema veracitypro.raw to role vp_loader;
grant usage on stage veracitypro.raw.silver_stage to role vp_loader;
grant usage on file format veracitypro.raw.silver_parquet to role vp_loader;

grant usage on schema veracitypro.raw to role vp_transformer;
grant select on all tables in schema veracitypro.raw to role vp_transformer;
grant select on future tables in schema veracitypro.raw to role vp_transformer;
grant usage, create table, create view on schema veracitypro.stg to role vp_transformer;
grant usage, create table, create view on schema veracitypro.core to role vp_transformer;
grant usage, create table, create view on schema veracitypro.mart to role vp_transformer;
grant usage, create table, create view on schema veracitypro.snapshot to role vp_transformer;
grant usage, create table, create view on schema veracitypro.monitoring to role vp_transformer;

-- A diff clones what it reads into schemas that are its own. Nobody else reads them.
grant usage, create schema on database veracitypro_diff to role vp_transformer;

-- A publication is a schema of its own, of clones. Its owner grants the reader access before it replaces PUBLISHED.
grant create schema on database veracitypro to role vp_publisher;
grant usage on schema veracitypro.mart to role vp_publisher;
grant usage on schema veracitypro.monitoring to role vp_publisher;
grant select on future tables in schema veracitypro.mart to role vp_publisher;
grant select on future tables in schema veracitypro.monitoring to role vp_publisher;
