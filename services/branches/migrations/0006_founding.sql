-- Foundings of virtual branches: who proposes, who signs, what the county decides.

-- The kinds of virtual branches of a county that has its own list; the others have the defaults (foundings/rules.py).
create table founding_kinds (
    county_code text primary key check (county_code ~ '^[0-9]{6}$'),
    -- [{"name", "zh", "en", "active"}], in the order shown.
    kinds jsonb not null,
    version bigint not null check (version > 0),
    update_time timestamptz not null
);
select kit_protect('founding_kinds');

create table founding (
    founding_id text primary key check (founding_id ~ '^[0-9a-z]{26}$'),
    -- County that decides.
    county_code text not null check (county_code ~ '^[0-9]{6}$'),
    -- Organisation under which the branch will stand.
    organisation_id text not null references organisation,
    name text not null check (length(name) between 2 and 120),
    kind text not null,
    purpose text not null,
    initiator_member_id text not null,
    -- 1 collecting, 2 submitted, 3 approved, 4 refused, 5 withdrawn, 6 expired.
    state smallint not null check (state between 1 and 6),
    cosigner_count integer not null check (cosigner_count >= 0),
    full_member_count integer not null check (full_member_count between 0 and cosigner_count),
    branch_id text references organisation,
    refusal_note text not null default '',
    -- Until when it can be submitted, or decided.
    expire_time timestamptz not null,
    version bigint not null check (version > 0),
    -- Version with which the present state began: signatures raise the version and are no conflict.
    state_version bigint not null check (state_version between 1 and version),
    create_time timestamptz not null,
    update_time timestamptz not null,
    check ((state = 3) = (branch_id is not null))
);
create unique index founding_open_name on founding (organisation_id, name) where state in (1, 2);
create index founding_of_county on founding (county_code, state, founding_id);
create index founding_of_organisation on founding (organisation_id, state, founding_id);
create index founding_of_initiator on founding (initiator_member_id) where state in (1, 2);
create index founding_of_kind on founding (county_code, kind);
create index founding_expiring on founding (expire_time) where state in (1, 2);
select kit_protect('founding');
revoke delete on founding from "{{service}}_app", "{{service}}_province";
-- Members of every county may read a proposal and sign it; who signed stays behind the county's wall.
create policy founding_published on founding for select to "{{service}}_app" using (true);

create table founding_cosigner (
    founding_id text not null references founding,
    member_id text not null check (member_id ~ '^[0-9a-z]{26}$'),
    -- County of the founding, wherever the member belongs.
    county_code text not null,
    -- Whether the signature counted when it was last looked at: at signing, submission and approval.
    full_member boolean not null,
    sign_time timestamptz not null,
    primary key (founding_id, member_id)
);
create index founding_cosigner_of_member on founding_cosigner (member_id, founding_id);
select kit_protect('founding_cosigner');
