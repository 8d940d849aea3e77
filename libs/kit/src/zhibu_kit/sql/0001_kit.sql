-- What every service's database holds for the kit: outbox, inbox, requests, audit rows, dead letters, and the projections
-- of the organisation tree and of the grants of office. {{service}} is the service's name.

grant usage on schema public to "{{service}}_app", "{{service}}_relay", "{{service}}_province";

-- Opens a table to the service's roles, all rows. For tables without a county.
create function kit_allow(target regclass) returns void language plpgsql as $$
begin
  execute format('grant select, insert, update, delete on %s to "{{service}}_app", "{{service}}_relay"', target);
  execute format('grant select on %s to "{{service}}_province"', target);
end $$;

-- Opens a table to the service's roles, one county at a time: the second wall. Without a scope there are no rows; the
-- relay and province-wide work see all of them and are put on knowingly (SET LOCAL ROLE).
create function kit_protect(target regclass) returns void language plpgsql as $$
begin
  perform kit_allow(target);
  execute format('grant insert, update, delete on %s to "{{service}}_province"', target);
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy county on %s to "{{service}}_app" using (county_code = any ((select string_to_array(current_setting(''zhibu.counties'', true), '',''))::text[]))',
    target);
  execute format('create policy every_county on %s to "{{service}}_relay", "{{service}}_province" using (true)', target);
end $$;

revoke execute on function kit_allow(regclass), kit_protect(regclass) from public;

create table kit_outbox (
  position bigint generated always as identity primary key,
  event_id text not null unique,
  -- Events of one key are published in order; a shard is what one relay works on at a time.
  shard smallint not null,
  key text not null,
  version bigint not null,
  subject text not null,
  event_type text not null,
  county_code text not null,
  payload bytea not null,
  traceparent text not null,
  occurred_at timestamptz not null,
  published_at timestamptz,
  -- After an attempt that was not acknowledged the row, and what follows it under its key, waits until next_attempt_at.
  attempts integer not null default 0,
  next_attempt_at timestamptz
);
create index kit_outbox_held_up on kit_outbox (shard, key) where published_at is null and next_attempt_at is not null;
create index kit_outbox_waiting on kit_outbox (shard, position) where published_at is null;
create index kit_outbox_published on kit_outbox (published_at) where published_at is not null;
grant insert on kit_outbox to "{{service}}_app", "{{service}}_province";
grant select, insert, update, delete on kit_outbox to "{{service}}_relay";

create table kit_inbox (
  consumer text not null,
  event_id text not null,
  received_at timestamptz not null,
  primary key (consumer, event_id)
);
create index kit_inbox_received on kit_inbox (received_at);
select kit_allow('kit_inbox');

create table kit_inbox_version (
  consumer text not null,
  key text not null,
  version bigint not null,
  primary key (consumer, key)
);
select kit_allow('kit_inbox_version');

create table kit_dead_letter (
  dead_letter_id text primary key,
  consumer text not null,
  event_id text not null,
  subject text not null,
  headers jsonb not null,
  payload bytea not null,
  reason text not null,
  failed_at timestamptz not null,
  replay_requested_at timestamptz,
  replayed_at timestamptz,
  unique (consumer, event_id)
);
select kit_allow('kit_dead_letter');

create table kit_request (
  caller text not null,
  method text not null,
  request_id text not null,
  body_hash bytea not null,
  response bytea,
  created_at timestamptz not null,
  primary key (caller, method, request_id)
);
create index kit_request_created on kit_request (created_at);
select kit_allow('kit_request');
grant select, insert, update on kit_request to "{{service}}_province";

create table kit_audit (
  audit_id text primary key,
  sequence bigint unique,
  chain_hash bytea,
  action text not null,
  outcome text not null check (outcome in ('done', 'read', 'refused')),
  reason text not null,
  method text not null,
  account_id text not null,
  member_id text not null,
  service text not null,
  -- The offices by which the caller might do it, as `office@organisation`.
  offices text[] not null,
  organisation_id text not null,
  county_code text not null,
  subject_id text not null,
  subjects_count integer not null,
  subjects_commitment bytea,
  commitment_salt bytea,
  request_id text not null,
  trace_id text not null,
  occurred_at timestamptz not null
);
create index kit_audit_unnumbered on kit_audit (occurred_at, audit_id) where sequence is null;
-- The running service can add rows, and neither read, change nor remove them.
grant insert on kit_audit to "{{service}}_app", "{{service}}_province";
grant select, insert on kit_audit to "{{service}}_relay";
grant update (sequence, chain_hash) on kit_audit to "{{service}}_relay";

create table kit_audit_head (
  only_row boolean primary key default true check (only_row),
  sequence bigint not null,
  chain_hash bytea not null
);
insert into kit_audit_head (sequence, chain_hash) values (0, decode(repeat('00', 32), 'hex'));
grant select, update on kit_audit_head to "{{service}}_relay";

create table kit_organisation (
  organisation_id text primary key,
  parent_id text not null,
  level smallint not null,
  name text not null,
  county_code text not null,
  active boolean not null,
  version bigint not null
);
create index kit_organisation_parent on kit_organisation (parent_id);
select kit_allow('kit_organisation');

create table kit_grant (
  grant_id text primary key,
  account_id text not null,
  member_id text not null,
  office text not null,
  organisation_id text not null,
  county_code text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  revoked boolean not null,
  version bigint not null
);
create index kit_grant_account on kit_grant (account_id);
select kit_allow('kit_grant');
