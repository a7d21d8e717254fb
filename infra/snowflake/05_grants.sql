-- The least that each role needs. Schemas are of managed access: only their owner grants.
use role securityadmin;

grant usage on database ${database} to role ${prefix}_loader;
grant usage on database ${database} to role ${prefix}_transformer;
grant usage on database ${database} to role ${prefix}_publisher;
grant usage on database ${database} to role ${reader_role};

-- The loader makes and evolves the tables of RAW; the pipeline owns nothing outside the schemas of its layers.
grant usage, create table on schema ${database}.raw to role ${prefix}_loader;
grant select, insert, update, delete on all tables in schema ${database}.raw to role ${prefix}_loader;
grant usage on stage ${database}.${stage} to role ${prefix}_loader;
grant usage on file format ${database}.${file_format} to role ${prefix}_loader;

grant usage on schema ${database}.raw to role ${prefix}_transformer;
grant select on all tables in schema ${database}.raw to role ${prefix}_transformer;
grant select on future tables in schema ${database}.raw to role ${prefix}_transformer;
grant usage, create table, create view on schema ${database}.stg to role ${prefix}_transformer;
grant usage, create table, create view on schema ${database}.core to role ${prefix}_transformer;
grant usage, create table, create view on schema ${database}.mart to role ${prefix}_transformer;
grant usage, create table, create view on schema ${database}.monitoring to role ${prefix}_transformer;

-- A diff clones what it reads into schemas that are its own. Nobody else reads them.
grant usage, create schema on database ${database}_diff to role ${prefix}_transformer;

-- A publication is a schema of its own, of clones. Its owner grants the reader access before it replaces PUBLISHED.
grant create schema on database ${database} to role ${prefix}_publisher;
grant usage on schema ${database}.mart to role ${prefix}_publisher;
grant usage on schema ${database}.monitoring to role ${prefix}_publisher;
grant select on future tables in schema ${database}.mart to role ${prefix}_publisher;
grant select on future tables in schema ${database}.monitoring to role ${prefix}_publisher;
