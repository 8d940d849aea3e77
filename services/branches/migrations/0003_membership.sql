-- Who belongs where, how each member stands, and what the county counts of it. "Exactly one physical branch" is held here,
-- also between counties that cannot see each other and under concurrent writers.
alter table organisation
    -- A virtual branch (虚拟支部) stands at the level of branches beside the physical ones.
    add column virtual boolean not null default false check (not virtual or level = 5),
    add column start_date date not null default (now() at time zone 'Asia/Shanghai')::date,
    -- Who took it over when it was merged or dissolved.
    add column successor_id text references organisation check (successor_id is null or not active),
    -- Years of a committee's term in a branch.
    add column term_years smallint not null default 3 check (term_years in (3, 5));
update organisation set start_date = (create_time at time zone 'Asia/Shanghai')::date;
create index organisation_branches_of_county on organisation (county_code, organisation_id)
    where active and level = 5;

create table member_record (
    member_id text primary key check (member_id ~ '^[0-9a-z]{26}$'),
    -- County and physical branch; the last ones when the record ended.
    county_code text not null check (county_code ~ '^[0-9]{6}$'),
    branch_id text not null references organisation,
    -- Numbers of PartyStatus, OccupationCategory and Standing in the contract.
    status smallint not null check (status between 1 and 6),
    status_date date,
    applied_date date,
    admitted_date date,
    confirmed_date date,
    occupation smallint not null check (occupation between 0 and 8),
    standing smallint not null check (standing between 1 and 6),
    end_date date,
    -- Virtual memberships that last, wherever; kept here because they lie in many counties.
    virtual_count integer not null default 0 check (virtual_count >= 0),
    version bigint not null check (version > 0),
    create_time timestamptz not null,
    update_time timestamptz not null,
    check ((standing = 1) = (end_date is null))
);
create index member_record_of_county on member_record (county_code, member_id) include (status, branch_id) where standing = 1;
create index member_record_of_branch on member_record (branch_id, member_id) include (status) where standing = 1;
select kit_protect('member_record');
revoke delete on member_record from "{{service}}_app", "{{service}}_province";

create table membership (
    membership_id text primary key check (membership_id ~ '^[0-9a-z]{26}$'),
    member_id text not null,
    branch_id text not null references organisation,
    county_code text not null check (county_code ~ '^[0-9]{6}$'),
    -- 1 physical, 2 virtual.
    kind smallint not null check (kind in (1, 2)),
    start_date date not null,
    -- Last day; null while it lasts.
    end_date date check (end_date >= start_date),
    end_reason smallint check (end_reason between 1 and 7),
    version bigint not null check (version > 0),
    create_time timestamptz not null,
    update_time timestamptz not null,
    check ((end_date is null) = (end_reason is null))
);
create unique index membership_one_physical on membership (member_id) where kind = 1 and end_date is null;
create unique index membership_open on membership (member_id, branch_id) where end_date is null;
create index membership_of_branch on membership (branch_id, kind, member_id) where end_date is null;
create index membership_of_county on membership (county_code, kind, member_id) where end_date is null;
create index membership_of_member on membership (member_id);
select kit_protect('membership');
revoke delete on membership from "{{service}}_app", "{{service}}_province";

-- Every entry of a record's history.
create table member_decision (
    decision_id text primary key,
    member_id text not null,
    county_code text not null,
    branch_id text not null,
    decision_date date not null,
    -- 0: the decision does not touch it.
    status smallint not null check (status between 0 and 6),
    occupation smallint not null check (occupation between 0 and 8),
    standing smallint not null check (standing between 0 and 6),
    document_number text not null,
    document_id text not null,
    source smallint not null check (source between 1 and 3),
    made_by_member_id text not null,
    create_time timestamptz not null
);
create index member_decision_of_member on member_decision (member_id, decision_id);
select kit_protect('member_decision');
revoke update, delete on member_decision from "{{service}}_app", "{{service}}_province";

create table membership_request (
    membership_request_id text primary key,
    member_id text not null,
    branch_id text not null references organisation,
    county_code text not null,
    -- 1 open, 2 admitted, 3 refused, 4 withdrawn, 5 lapsed.
    state smallint not null check (state between 1 and 5),
    reason text not null check (length(reason) <= 200),
    refusal_note text not null check (length(refusal_note) <= 200),
    version bigint not null check (version > 0),
    create_time timestamptz not null,
    update_time timestamptz not null
);
create unique index membership_request_open on membership_request (member_id, branch_id) where state = 1;
create index membership_request_of_branch on membership_request (branch_id, membership_request_id) where state = 1;
create index membership_request_of_member on membership_request (member_id, membership_request_id);
create index membership_request_waiting on membership_request (create_time) where state = 1;
select kit_protect('membership_request');

-- Which kind of membership entitles to what, where a county departs from the defaults (rights.py).
create table membership_rights (
    county_code text primary key,
    rights jsonb not null,
    version bigint not null check (version > 0),
    update_time timestamptz not null
);
select kit_protect('membership_rights');

-- People with an e-ID whom no branch holds yet.
create table unplaced_member (
    member_id text primary key,
    county_code text not null,
    eid_id text not null,
    wanted_branch_id text not null,
    issue_time timestamptz not null
);
create index unplaced_member_of_county on unplaced_member (county_code, issue_time, member_id);
select kit_protect('unplaced_member');

-- Acts that count once, in whichever branch they are reported; kept in the member's own county.
create table counted_act (
    member_id text not null,
    act text not null,
    subject_id text not null,
    branch_id text not null,
    county_code text not null,
    create_time timestamptz not null,
    primary key (member_id, act, subject_id)
);
select kit_protect('counted_act');

-- The owner's functions below see every county; nobody logs in as the owner while the service runs.
create policy every_county_owner on member_record to current_user using (true);
create policy every_county_owner on membership to current_user using (true);
create policy every_county_owner on membership_request to current_user using (true);

-- In which counties anything about one member lies, so that the scope of a call about this member can be chosen.
create function member_counties(member text) returns text [] language sql stable security definer
set search_path = public, pg_temp as $$
  select coalesce(array_agg(distinct county_code), '{}') from (
    select county_code from member_record where member_id = member
    union all select county_code from membership where member_id = member
    union all select county_code from membership_request where member_id = member
  ) as rows
$$;

-- Where the open records of some members are, whatever the scope shows.
create function physical_places(members text []) returns table (member_id text, branch_id text, county_code text)
language sql stable security definer set search_path = public, pg_temp as $$
  select r.member_id, r.branch_id, r.county_code from member_record as r
  where r.member_id = any(members) and r.standing = 1
$$;

-- The counties whose members belong to virtual branches of some counties.
create function home_counties(counties text []) returns text [] language sql stable security definer
set search_path = public, pg_temp as $$
  select coalesce(array_agg(distinct r.county_code), '{}')
  from membership as m join member_record as r on r.member_id = m.member_id
  where m.county_code = any(counties) and m.kind = 2 and m.end_date is null
$$;

-- Refuses a commit that leaves a present record without exactly one physical membership, in the branch that the record
-- names, or an ended one with any. Taking the record's lock makes two writers of one member follow each other; what the
-- second statement sees is what was committed until then.
create function check_memberships() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
declare
  member text := case when tg_op = 'DELETE' then old.member_id else new.member_id end;
  record member_record;
  physical integer;
  fitting integer;
  virtual integer;
begin
  select * into record from member_record where member_id = member for update;
  select
    count(*) filter (where kind = 1),
    count(*) filter (where kind = 1 and branch_id = record.branch_id and county_code = record.county_code),
    count(*) filter (where kind = 2)
    into physical, fitting, virtual
    from membership where member_id = member and end_date is null;
  if coalesce(record.standing, 0) = 1 then
    if physical <> 1 or fitting <> 1 or virtual <> record.virtual_count then
      raise exception 'a present member has % physical branches (% fitting) and % virtual ones, recorded %',
        physical, fitting, virtual, record.virtual_count
        using errcode = 'check_violation', constraint = 'exactly_one_physical';
    end if;
  elsif physical + virtual > 0 or coalesce(record.virtual_count, 0) > 0 then
    raise exception 'a member without an open record has % memberships', physical + virtual
      using errcode = 'check_violation', constraint = 'exactly_one_physical';
  end if;
  return null;
end $$;

create constraint trigger exactly_one_physical after insert or update or delete on membership
deferrable initially deferred for each row execute function check_memberships();
create constraint trigger exactly_one_physical after insert or update or delete on member_record
deferrable initially deferred for each row execute function check_memberships();

revoke execute on function
    member_counties(text), physical_places(text []), home_counties(text []), check_memberships() from public;
grant execute on function member_counties(text), physical_places(text []), home_counties(text [])
    to "{{service}}_app", "{{service}}_relay", "{{service}}_province";

-- What statistics sum: how many members of each kind a branch and a county hold. Every change adds rows with its difference,
-- in its own transaction and without a lock; a job folds them together. So the sum is exact at any time, no two writers
-- wait for each other, and a province is the sum of its counties' rows.
create table tally (
    -- A branch, or a county (then equal to county_code).
    organisation_id text not null,
    county_code text not null,
    -- 'status', 'occupation', 'admission' (decade), 'virtual' ('member'), 'branch' ('physical', 'virtual', 'online').
    dimension text not null,
    key text not null,
    count integer not null,
    folded boolean not null default false
);
create index tally_of_organisation on tally (organisation_id, dimension, key) include (count);
create index tally_of_county on tally (county_code, organisation_id);
create index tally_of_counties on tally (county_code) where organisation_id = county_code;
create index tally_waiting on tally (county_code) where not folded;
select kit_protect('tally');

-- What one present record adds to each dimension.
create function tallied(record member_record) returns table (dimension text, key text) language sql immutable as $$
  select 'status', record.status::text where record.standing = 1
  union all
  select 'occupation', record.occupation::text where record.standing = 1 and record.status >= 4
  union all
  select
    'admission',
    coalesce((extract(year from record.admitted_date)::integer / 10 * 10)::text, '0')
    where record.standing = 1 and record.status >= 4
  union all
  select 'virtual', 'member' where record.standing = 1 and record.status >= 4 and record.virtual_count > 0
$$;

create function tally_new_records() returns trigger language plpgsql as $$
begin
  insert into tally (organisation_id, county_code, dimension, key, count)
  select place, r.county_code, t.dimension, t.key, count(*)
  from new_rows as r, tallied(r::member_record) as t, unnest(array[r.branch_id, r.county_code]) as place
  group by 1, 2, 3, 4;
  return null;
end $$;

create function tally_changed_records() returns trigger language plpgsql as $$
begin
  insert into tally (organisation_id, county_code, dimension, key, count)
  select place, c.county_code, c.dimension, c.key, sum(c.difference)
  from (
    select r.branch_id, r.county_code, t.dimension, t.key, 1 as difference
    from new_rows as r, tallied(r::member_record) as t
    union all
    select r.branch_id, r.county_code, t.dimension, t.key, -1
    from old_rows as r, tallied(r::member_record) as t
  ) as c, unnest(array[c.branch_id, c.county_code]) as place
  group by 1, 2, 3, 4 having sum(c.difference) <> 0;
  return null;
end $$;

create trigger tally_new after insert on member_record
referencing new table as new_rows for each statement execute function tally_new_records();
create trigger tally_changed after update on member_record
referencing old table as old_rows new table as new_rows for each statement execute function tally_changed_records();

create function tally_new_branches() returns trigger language plpgsql as $$
begin
  insert into tally (organisation_id, county_code, dimension, key, count)
  select r.county_code, r.county_code, 'branch', case when r.virtual then 'virtual' else 'physical' end, count(*)
  from new_rows as r where r.level = 5 and r.active group by 1, 2, 3, 4;
  return null;
end $$;

create function tally_changed_branches() returns trigger language plpgsql as $$
begin
  insert into tally (organisation_id, county_code, dimension, key, count)
  select c.county_code, c.county_code, 'branch', case when c.virtual then 'virtual' else 'physical' end, sum(c.difference)
  from (
    select r.county_code, r.virtual, 1 as difference from new_rows as r where r.level = 5 and r.active
    union all
    select r.county_code, r.virtual, -1 from old_rows as r where r.level = 5 and r.active
  ) as c group by 1, 2, 3, 4 having sum(c.difference) <> 0;
  return null;
end $$;

insert into tally (organisation_id, county_code, dimension, key, count)
select county_code, county_code, 'branch', 'physical', count(*) from organisation
where level = 5 and active group by 1, 2;
create trigger tally_new_branch after insert on organisation
referencing new table as new_rows for each statement execute function tally_new_branches();
create trigger tally_changed_branch after update on organisation
referencing old table as old_rows new table as new_rows for each statement execute function tally_changed_branches();
