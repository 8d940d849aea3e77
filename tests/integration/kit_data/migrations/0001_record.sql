-- A service for tests: records of counties, and what another service has heard of them.
create table record (
  record_id text primary key,
  county_code text not null,
  text text not null,
  version bigint not null
);
select kit_protect('record');

create table heard (
  record_id text primary key,
  county_code text not null,
  text text not null,
  version bigint not null,
  times integer not null
);
select kit_protect('heard');
