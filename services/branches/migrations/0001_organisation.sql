-- The organisation tree. Names are published, so everybody may read; who may write which county is checked a second
-- time by the policies below, whatever a handler forgets.
create table organisation (
    organisation_id text primary key check (organisation_id ~ '^[0-9a-z][0-9a-z-]{1,39}$'),
    parent_id text references organisation,
    level smallint not null check (level between 1 and 5),
    name text not null check (length(name) between 2 and 120),
    -- The name as searches compare it, and its characters and pairs of neighbours (rules.search_tokens).
    name_form text not null,
    name_tokens text [] not null,
    county_code text not null check (county_code ~ '^[0-9]{2,6}$'),
    -- From the province down to the parent.
    ancestor_ids text [] not null,
    active boolean not null default true,
    version bigint not null check (version > 0),
    create_time timestamptz not null,
    update_time timestamptz not null,
    check ((parent_id is null) = (level = 1))
);

create unique index organisation_one_province on organisation ((true)) where parent_id is null;
create unique index organisation_name_below_parent on organisation (parent_id, name) where active;
create index organisation_children on organisation (parent_id, organisation_id) where active;
create index organisation_name_tokens on organisation using gin (name_tokens) where active;

alter table organisation enable row level security;
alter table organisation force row level security;

create policy organisation_public on organisation for select using (true);
create policy organisation_county_insert on organisation for insert to {{service}}_app
    with check (county_code = any(string_to_array(current_setting('zhibu.counties', true), ',')));
create policy organisation_county_update on organisation for update to {{service}}_app
    using (county_code = any(string_to_array(current_setting('zhibu.counties', true), ',')));
create policy organisation_province on organisation to {{service}}_province using (true);

grant select, insert, update on organisation to {{service}}_app, {{service}}_province;
grant select on organisation to {{service}}_relay;

-- This service makes the tree, so it writes the kit's projection of it at once instead of waiting for its own event: an
-- officer who has just made a township can make a branch below it.
grant insert, update on kit_organisation to {{service}}_province;
