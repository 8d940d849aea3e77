-- The log: entries in the order of the tree, what opens their commitments, the lanes they come from, and incidents. The tree
-- of hashes itself lies in a directory (packages/tlog) and can be made again from these rows, and these rows from it.

-- How many entries have a place; its row is the lock under which places are given.
create table log_head (
  only_row boolean primary key default true check (only_row),
  size bigint not null,
  -- While something stands here nothing is appended: the log was restored to less than witnesses have cosigned.
  stopped_because text not null default ''
);
insert into log_head (size) values (0);

create table entry (
  entry_index bigint primary key,
  -- "row", "incident" or "origin"
  kind text not null,
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
create unique index entry_lane on entry (lane, sequence) where kind = 'row';
create index entry_organisation on entry (organisation_id, entry_index desc);
create index entry_member on entry (member_id, entry_index desc) where member_id <> '';
create index entry_subject on entry (subject_id, entry_index desc) where subject_id <> '';
create index entry_occurred on entry (occurred_at, entry_index);
create index entry_counties on entry using gin (county_codes);

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

create table lane (
  lane text primary key,
  sequence bigint not null,
  chain_hash bytea not null,
  stopped_at timestamptz,
  incident_id text,
  -- How often rows were asked for again, and when.
  asked_version bigint not null default 0,
  asked_at timestamptz,
  updated_at timestamptz not null
);

create table incident (
  incident_id text primary key,
  kind text not null check (kind in ('gap', 'conflict', 'restore')),
  state text not null check (state in ('open', 'signed', 'closed', 'fed')),
  lane text not null,
  from_sequence bigint not null,
  to_sequence bigint not null,
  statement text not null,
  first_signed_by text not null,
  first_account_id text not null,
  second_signed_by text not null,
  created_at timestamptz not null,
  closed_at timestamptz,
  entry_index bigint,
  version bigint not null,
  check (second_signed_by = '' or second_signed_by <> first_signed_by)
);
create unique index incident_open on incident (lane) where state in ('open', 'signed');

create table witness (
  name text primary key,
  verifier_key text not null,
  size bigint not null,
  cosigned_at timestamptz
);
