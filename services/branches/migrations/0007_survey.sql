-- The survey of computers and networks, and which branches are online by it.

create table survey_parameters (
    county_code text primary key check (county_code ~ '^[0-9]{6}$'),
    threshold_permille integer not null check (threshold_permille between 1 and 1000),
    hysteresis_permille integer not null check (hysteresis_permille between 0 and 500),
    version bigint not null check (version > 0),
    update_time timestamptz not null
);
select kit_protect('survey_parameters');

-- What is known of one member. It belongs to the member, not to the branch: whoever moves need not answer again.
create table survey_answer (
    member_id text primary key check (member_id ~ '^[0-9a-z]{26}$'),
    -- County of the member's record; follows it.
    county_code text not null,
    has_device boolean not null,
    has_network boolean not null,
    -- 1 stated, 2 reported, 3 countersigned, 4 disputed; only 1 and 3 count.
    state smallint not null check (state between 1 and 4),
    -- The branch's report behind states 2 to 4.
    report_id text not null,
    -- A new ULID with each change, for the etag: an answer may go and come again, and must not look the same then.
    revision text not null,
    answer_time timestamptz not null
);
select kit_protect('survey_answer');

-- What the survey of each physical branch came to.
create table branch_survey (
    branch_id text primary key references organisation,
    county_code text not null,
    member_count integer not null default 0 check (member_count >= 0),
    answered_count integer not null default 0 check (answered_count between 0 and member_count),
    equipped_count integer not null default 0 check (equipped_count between 0 and answered_count),
    rate_permille integer not null default 0 check (rate_permille between 0 and 1000),
    -- 1 offline, 2 online, 3 online and warned.
    state smallint not null default 1 check (state between 1 and 3),
    online_date date,
    -- How often the state changed.
    version bigint not null default 0,
    update_time timestamptz not null,
    check ((state = 1) = (online_date is null))
);
create index branch_survey_online on branch_survey (county_code, branch_id) where state <> 1;
select kit_protect('branch_survey');

-- How it stood at the end of each day on which it changed.
create table branch_survey_day (
    branch_id text not null references organisation,
    county_code text not null,
    day date not null,
    rate_permille integer not null,
    member_count integer not null,
    equipped_count integer not null,
    state smallint not null,
    primary key (branch_id, day)
);
select kit_protect('branch_survey_day');

-- Branches whose members changed and whose rate has to be counted again; a job does it. Rows are added without a lock, so
-- writers of one branch do not wait for each other, and an import is not slowed by counting after each row.
create table survey_due (
    position bigint generated always as identity primary key,
    branch_id text not null,
    county_code text not null
);
select kit_protect('survey_due');

create function survey_new_records() returns trigger language plpgsql as $$
begin
  insert into survey_due (branch_id, county_code)
  select distinct r.branch_id, r.county_code from new_rows as r where r.standing = 1 and r.status >= 4;
  return null;
end $$;

create function survey_changed_records() returns trigger language plpgsql as $$
begin
  insert into survey_due (branch_id, county_code)
  select place.branch_id, place.county_code
  from new_rows as n
  join old_rows as o on o.member_id = n.member_id
  cross join lateral (values (n.branch_id, n.county_code), (o.branch_id, o.county_code)) as place (branch_id, county_code)
  where (n.branch_id, n.standing, n.status >= 4) is distinct from (o.branch_id, o.standing, o.status >= 4)
  group by 1, 2;
  if not found then
    return null;
  end if;
  -- What the old branch reported, and the member has not confirmed, is nothing that the new one knows; and nobody is
  -- asked any more whose record ended.
  delete from survey_answer as a using new_rows as n join old_rows as o on o.member_id = n.member_id
  where a.member_id = n.member_id
    and (n.standing <> 1 or (n.branch_id <> o.branch_id and a.state in (2, 4)));
  update survey_answer as a set county_code = n.county_code
  from new_rows as n join old_rows as o on o.member_id = n.member_id
  where a.member_id = n.member_id and n.county_code <> o.county_code;
  return null;
end $$;

create trigger survey_new after insert on member_record
referencing new table as new_rows for each statement execute function survey_new_records();
create trigger survey_changed after update on member_record
referencing old table as old_rows new table as new_rows for each statement execute function survey_changed_records();

-- How many branches of a county are online, beside the other sums (tally).
create function tally_online_branches() returns trigger language plpgsql as $$
declare
  county text := case when tg_op = 'DELETE' then old.county_code else new.county_code end;
  before integer := case when tg_op = 'INSERT' then 0 else (old.state <> 1)::integer end;
  after integer := case when tg_op = 'DELETE' then 0 else (new.state <> 1)::integer end;
begin
  if after <> before then
    insert into tally (organisation_id, county_code, dimension, key, count)
    values (county, county, 'branch', 'online', after - before);
  end if;
  return null;
end $$;

create trigger tally_online after insert or update of state or delete on branch_survey
for each row execute function tally_online_branches();
