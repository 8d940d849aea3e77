-- How each organisation stood on any day, and the changes that were made or are planned.
create table organisation_version (
    organisation_id text not null references organisation,
    -- First and last day; the last state of a day is the one that holds for it.
    start_date date not null,
    end_date date check (end_date >= start_date),
    parent_id text,
    name text not null,
    active boolean not null,
    successor_id text,
    primary key (organisation_id, start_date)
);
create index organisation_version_below on organisation_version (parent_id, organisation_id, start_date) where active;
-- Written by the triggers alone: history is not edited.
grant select on organisation_version to "{{service}}_app", "{{service}}_relay", "{{service}}_province";

insert into organisation_version (organisation_id, start_date, parent_id, name, active)
select organisation_id, start_date, parent_id, name, active from organisation;

create function keep_new_organisations() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
  insert into organisation_version (organisation_id, start_date, parent_id, name, active, successor_id)
  select r.organisation_id, r.start_date, r.parent_id, r.name, r.active, r.successor_id from new_rows as r;
  return null;
end $$;

create function keep_changed_organisations() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
  update organisation_version as v
  set end_date = (r.update_time at time zone 'Asia/Shanghai')::date - 1
  from new_rows as r
  join old_rows as o on o.organisation_id = r.organisation_id
  where v.organisation_id = r.organisation_id and v.end_date is null
    and v.start_date < (r.update_time at time zone 'Asia/Shanghai')::date
    and (r.parent_id, r.name, r.active, r.successor_id) is distinct from (o.parent_id, o.name, o.active, o.successor_id);
  insert into organisation_version as v (organisation_id, start_date, parent_id, name, active, successor_id)
  select
    r.organisation_id,
    greatest((r.update_time at time zone 'Asia/Shanghai')::date, r.start_date),
    r.parent_id,
    r.name,
    r.active,
    r.successor_id
  from new_rows as r
  join old_rows as o on o.organisation_id = r.organisation_id
  where (r.parent_id, r.name, r.active, r.successor_id) is distinct from (o.parent_id, o.name, o.active, o.successor_id)
  on conflict (organisation_id, start_date) do update
  set parent_id = excluded.parent_id, name = excluded.name, active = excluded.active,
    successor_id = excluded.successor_id;
  return null;
end $$;
revoke execute on function keep_new_organisations(), keep_changed_organisations() from public;

create trigger keep_new after insert on organisation
referencing new table as new_rows for each statement execute function keep_new_organisations();
create trigger keep_changed after update on organisation
referencing old table as old_rows new table as new_rows for each statement execute function keep_changed_organisations();

create table organisation_change (
    organisation_change_id text primary key,
    -- 1 rename, 2 move, 3 merge, 4 split, 5 dissolve.
    kind smallint not null check (kind between 1 and 5),
    organisation_id text not null references organisation,
    county_code text not null,
    -- Day in Shanghai at whose beginning it holds.
    effective_date date not null,
    -- 1 planned, 2 done, 3 cancelled, 4 failed.
    state smallint not null check (state between 1 and 4),
    new_name text not null,
    target_id text references organisation,
    -- Members of a split.
    member_ids text [] not null,
    member_count integer not null check (member_count >= 0),
    document_number text not null,
    failure_reason text not null,
    -- Who may do it was judged when it was planned.
    made_by_member_id text not null,
    version bigint not null check (version > 0),
    create_time timestamptz not null,
    update_time timestamptz not null
);
create index organisation_change_due on organisation_change (effective_date, organisation_change_id) where state = 1;
create index organisation_change_of_county on organisation_change (county_code, state, organisation_change_id);
create index organisation_change_of_organisation on organisation_change (organisation_id) where state = 1;
create index organisation_change_of_target on organisation_change (target_id) where state = 1;
select kit_protect('organisation_change');
-- Moves, merges and dissolutions update what stands below by this.
create index organisation_below on organisation using gin (ancestor_ids);
-- Changes of the tree are made under the province's role where they reach more than one county.
grant select, insert, update on kit_organisation to "{{service}}_relay";
