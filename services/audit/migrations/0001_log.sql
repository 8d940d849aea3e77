-- The log: entries in the order of the tree, what opens their commitments, the lanes they come from, and incidents. The tree
-- of hashes itself lies in a directory (packages/tlog) and can be made again from these rows, and these rows from it.

-- Rows that may be added and read, and never changed or removed by the running service.
create function audit_append_only(target regclass) returns void language plpgsql as $$
begin
  execute format('grant select on %s to "{{service}}_app"', target);
  execute format('grant select, insert on %s to "{{service}}_relay", "{{service}}_province"', target);
end $$;

-- The second wall: the running service sees rows of the counties of its call (zhibu.counties); rows without a county are
-- the province's alone. Intake and province-wide work put on their roles knowingly.
create function audit_protect(target regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy county on %s to "{{service}}_app" using (county_codes && (select string_to_array(current_setting(''zhibu.counties'', true), '',''))::text[])',
    target);
  execute format('create policy every_county on %s to "{{service}}_relay", "{{service}}_province" using (true)', target);
end $$;

revoke execute on function audit_append_only(regclass), audit_protect(regclass) from public;

-- How many entries have a place; its row is the lock under which places are given.
create table log_head (
  only_row boolean primary key default true check (only_row),
  size bigint not null,
  -- While something stands here nothing is appended: the log was restored to less than witnesses have cosigned.
  stopped_because text not null default ''
);
insert into log_head (size) values (0);
grant select on log_head to "{{service}}_app";
grant select, update on log_head to "{{service}}_relay", "{{service}}_province";

-- The logs: the first, and one more after each loss that could not be fed again. Entries from first_index on lie in the
-- log of the highest serial, at the place entry_index - first_index.
create table log_origin (
  serial integer primary key,
  origin text not null unique,
  first_index bigint not null,
  created_at timestamptz not null
);
select audit_append_only('log_origin');

create table entry (
  entry_index bigint primary key,
  kind text not null check (kind in ('row', 'incident', 'origin')),
  lane text not null,
  sequence bigint not null,
  -- The bytes that stand in the tree.
  leaf bytea not null,
  -- What follows repeats parts of the leaf, so that it can be searched.
  action text not null,
  outcome text not null,
  account_id text not null,
  member_id text not null,
  organisation_id text not null,
  -- Counties whose officers may see it; empty: the province's alone.
  county_codes text[] not null,
  subject_id text not null,
  request_id text not null,
  occurred_at timestamptz not null
);
-- Not unique: after a service was restored and two officers signed for it, its numbers run again from there.
create index entry_lane on entry (lane, sequence, entry_index) where kind = 'row';
-- Searches give the newest first, by when it happened, and are bounded by that: each index below is one way in.
create index entry_organisation on entry (organisation_id, occurred_at desc, entry_index desc);
create index entry_member on entry (member_id, occurred_at desc, entry_index desc) where member_id <> '';
create index entry_county on entry ((county_codes[1]), occurred_at desc, entry_index desc);
create index entry_several_counties on entry (occurred_at desc, entry_index desc) where array_length(county_codes, 1) > 1;
create index entry_action on entry (action text_pattern_ops, occurred_at desc, entry_index desc);
create index entry_refused on entry (occurred_at desc, entry_index desc) where outcome = 'refused';
create index entry_named_subject on entry (subject_id, entry_index desc) where subject_id <> '';
create index entry_occurred on entry (occurred_at, entry_index);
select audit_append_only('entry');
select audit_protect('entry');

-- Whom an entry is about. Never in the tree; subject and salt are emptied when a member's key is destroyed.
create table entry_subject (
  entry_index bigint not null references entry,
  commitment bytea not null,
  subject_id text,
  salt bytea,
  county_codes text[] not null,
  primary key (entry_index, commitment)
);
create index entry_subject_subject on entry_subject (subject_id, entry_index desc) where subject_id is not null;
select audit_append_only('entry_subject');
grant update (subject_id, salt) on entry_subject to "{{service}}_relay", "{{service}}_province";
select audit_protect('entry_subject');

-- Whose keys were destroyed: rows that come again after that bring nothing back.
create table erased_subject (
  subject_id text primary key,
  erased_at timestamptz not null
);
grant select, insert on erased_subject to "{{service}}_app", "{{service}}_relay";
grant select on erased_subject to "{{service}}_province";

create table lane (
  lane text primary key,
  sequence bigint not null,
  chain_hash bytea not null,
  -- Set while chain_hash is not what the next row was chained from, but what its own hash must be: rows before it are lost.
  anchored boolean not null default false,
  -- The lowest number that came too early, and its hash; 0 while none is known. The highest number that came at all.
  ahead_sequence bigint not null default 0,
  ahead_chain_hash bytea,
  seen_sequence bigint not null default 0,
  -- Since when the next row is missing, or contradicts.
  stopped_at timestamptz,
  incident_id text,
  -- The last asking for rows, how many there were since the lane moved, and when.
  asked_version bigint not null default 0,
  asked_count integer not null default 0,
  asked_at timestamptz,
  updated_at timestamptz not null
);
grant select on lane to "{{service}}_app";
grant select, insert, update on lane to "{{service}}_relay", "{{service}}_province";

create table incident (
  incident_id text primary key,
  kind text not null check (kind in ('gap', 'conflict', 'restore')),
  state text not null check (state in ('open', 'signed', 'closed', 'fed')),
  lane text not null,
  from_sequence bigint not null,
  to_sequence bigint not null,
  -- What the next row is chained from once the incident is closed, or (anchored) what its own hash must be.
  chain_hash bytea,
  anchored boolean not null default false,
  -- The cosigned checkpoint that a restored log does not reach.
  checkpoint text not null default '',
  statement text not null default '',
  first_signed_by text not null default '',
  first_account_id text not null default '',
  second_signed_by text not null default '',
  created_at timestamptz not null,
  closed_at timestamptz,
  entry_index bigint,
  version bigint not null,
  check (second_signed_by = '' or second_signed_by <> first_signed_by)
);
create unique index incident_open on incident (lane) where state in ('open', 'signed');
create index incident_newest on incident (created_at desc, incident_id);
grant select, insert, update on incident to "{{service}}_relay", "{{service}}_province";

-- What each witness has cosigned of each log.
create table witness (
  name text not null,
  serial integer not null references log_origin,
  verifier_key text not null,
  size bigint not null,
  cosigned_at timestamptz,
  primary key (name, serial)
);
grant select on witness to "{{service}}_app", "{{service}}_province";
grant select, insert, update on witness to "{{service}}_relay";
