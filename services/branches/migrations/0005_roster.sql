-- What became of committed rosters.
create table roster_application (
    roster_id text primary key,
    organisation_id text not null,
    county_code text not null,
    total_count integer not null,
    part_count integer not null,
    applied_count integer not null,
    unchanged_count integer not null,
    conflict_count integer not null,
    parts_done integer not null,
    done boolean not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    check (applied_count + unchanged_count + conflict_count <= total_count),
    check (parts_done <= part_count)
);
select kit_protect('roster_application');

-- Parts that were applied: each one once, whatever is delivered again.
create table roster_part (
    roster_id text not null,
    part integer not null,
    county_code text not null,
    create_time timestamptz not null,
    primary key (roster_id, part)
);
select kit_protect('roster_part');

create table roster_conflict (
    roster_id text not null,
    row_number integer not null,
    member_id text not null,
    county_code text not null,
    reason text not null,
    branch_id text not null,
    current_branch_id text not null,
    primary key (roster_id, row_number, member_id)
);
select kit_protect('roster_conflict');
