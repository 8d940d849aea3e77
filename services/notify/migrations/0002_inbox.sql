-- The inbox, preferences, what counties send by SMS, and the queue of those messages. References only: no name, no number,
-- no text.

-- Opens a table of members' own rows, one member at a time: a transaction names the members that it works for in the setting
-- zhibu.members, without it there are no rows. A member's inbox belongs to no county, because offices and virtual branches
-- lie in others than the member's own. The relay's role works for all: sending, purging.
create function notify_protect_members(target regclass) returns void language plpgsql as $$
begin
  execute format('grant select, insert, update, delete on %s to "{{service}}_app", "{{service}}_relay"', target);
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy member on %s to "{{service}}_app" using (member_id = any ((select string_to_array(current_setting(''zhibu.members'', true), '',''))::text[]))',
    target);
  execute format('create policy every_member on %s to "{{service}}_relay" using (true)', target);
end $$;

revoke execute on function notify_protect_members(regclass) from public;

create table inbox_item (
  inbox_item_id text primary key,
  member_id text not null,
  kind smallint not null,
  template text not null,
  parameters jsonb not null,
  urgent boolean not null,
  -- Of one topic a member has one unread item at most; '' is no topic.
  topic text not null,
  create_time timestamptz not null,
  read_time timestamptz
);
create index inbox_item_member on inbox_item (member_id, inbox_item_id);
create index inbox_item_unread on inbox_item (member_id, inbox_item_id) where read_time is null;
create unique index inbox_item_topic on inbox_item (member_id, topic) where read_time is null and topic <> '';
create index inbox_item_age on inbox_item (create_time);
select notify_protect_members('inbox_item');

-- How many of a member's items are unread, kept in the transactions that change them, because every page asks.
create table inbox_unread (
  member_id text primary key,
  unread_count integer not null check (unread_count >= 0)
);
select notify_protect_members('inbox_unread');

-- Only what differs from "everything": the kinds that a member does not want in the inbox, or by SMS.
create table notice_preference (
  member_id text primary key,
  not_in_inbox smallint[] not null,
  not_by_sms smallint[] not null,
  version bigint not null,
  update_time timestamptz not null
);
select notify_protect_members('notice_preference');

-- Members who get no notices any more: all (died, erased), or all but urgent ones (left, expelled, moved out).
create table silent_member (
  member_id text primary key,
  urgent_too boolean not null,
  create_time timestamptz not null
);
select notify_protect_members('silent_member');

create table notice_settings (
  county_code text primary key,
  sms_kinds smallint[] not null,
  quiet_from_hour smallint not null,
  quiet_until_hour smallint not null,
  version bigint not null,
  update_time timestamptz not null
);
select kit_protect('notice_settings');

-- Messages that the message centre took, by month in Asia/Shanghai ("2026-11"): the county's bill.
create table notice_month (
  county_code text not null,
  month text not null,
  message_count integer not null,
  segment_count integer not null,
  primary key (county_code, month)
);
select kit_protect('notice_month');

create table notice_sms (
  notice_sms_id text primary key,
  -- The county whose event it tells of: its settings decide, its bill it is.
  county_code text not null,
  member_id text not null,
  kind smallint not null,
  template text not null,
  parameters jsonb not null,
  urgent boolean not null,
  -- claimed: a worker has it in hand, nothing has left. submitting: it may have left; after a crash nobody knows.
  state text not null check (state in ('waiting', 'claimed', 'submitting', 'accepted', 'not_sent', 'unknown')),
  -- Why it was not sent.
  reason text,
  attempt_count integer not null default 0,
  segment_count smallint not null default 0,
  not_before timestamptz not null,
  create_time timestamptz not null,
  state_time timestamptz not null
);
create index notice_sms_waiting on notice_sms (urgent, notice_sms_id) where state = 'waiting';
create index notice_sms_in_hand on notice_sms (state_time) where state in ('claimed', 'submitting');
create index notice_sms_waiting_of_county on notice_sms (county_code) where state = 'waiting';
create index notice_sms_member on notice_sms (member_id, state_time);
create index notice_sms_age on notice_sms (create_time);
select kit_protect('notice_sms');

-- The message centre's identifiers, by which receipts (delivery_receipt) name a message.
create table notice_sms_part (
  notice_sms_id text not null references notice_sms on delete cascade,
  part smallint not null,
  smsc_message_id text not null,
  primary key (notice_sms_id, part)
);
create index notice_sms_part_message on notice_sms_part (smsc_message_id);
select kit_allow('notice_sms_part');

-- Who may do what at an organisation: notices of work go to them.
create index grant_place on kit_grant (organisation_id, office);
