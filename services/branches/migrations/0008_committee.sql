-- Committees of branches, their posts and terms.
create table committee (
    committee_id text primary key check (committee_id ~ '^[0-9a-z]{26}$'),
    branch_id text not null references organisation,
    county_code text not null check (county_code ~ '^[0-9]{6}$'),
    -- 1 appointment, 2 election.
    source smallint not null check (source in (1, 2)),
    document_number text not null,
    start_date date not null,
    term_end_date date not null check (term_end_date > start_date),
    -- Last day; null while it lasts.
    end_date date check (end_date >= start_date),
    -- The posts that it was made with, one for each holder: what is missing of them stands empty.
    seats smallint [] not null,
    -- Months of the warning given last (6, 3, 1, 0), how many were given, and when the next one is due.
    warned_months smallint,
    warning_count integer not null default 0,
    next_warning_date date,
    version bigint not null check (version > 0),
    create_time timestamptz not null,
    update_time timestamptz not null
);
create unique index committee_of_branch on committee (branch_id) where end_date is null;
create index committee_history on committee (branch_id, start_date desc, committee_id desc);
create index committee_ending on committee (county_code, term_end_date, committee_id) where end_date is null;
create index committee_warning on committee (next_warning_date) where end_date is null and next_warning_date is not null;
select kit_protect('committee');
revoke delete on committee from "{{service}}_app", "{{service}}_province";

create table committee_post (
    post_id text primary key check (post_id ~ '^[0-9a-z]{26}$'),
    committee_id text not null references committee,
    branch_id text not null,
    county_code text not null,
    member_id text not null check (member_id ~ '^[0-9a-z]{26}$'),
    -- 1 secretary, 2 deputy secretary, 3 organisation, 4 publicity, 5 discipline, 6 youth, 7 member.
    post smallint not null check (post between 1 and 7),
    start_date date not null,
    end_date date check (end_date >= start_date),
    end_reason smallint check (end_reason between 1 and 6),
    document_number text not null,
    -- Document of the end, where there is one.
    end_document_number text not null default '',
    version bigint not null check (version > 0),
    create_time timestamptz not null,
    update_time timestamptz not null,
    check ((end_date is null) = (end_reason is null))
);
-- One holder of each post, but for deputies and members without portfolio; and nobody holds a post twice.
create unique index committee_post_one_holder on committee_post (committee_id, post)
    where end_date is null and post not in (2, 7);
create unique index committee_post_once on committee_post (committee_id, member_id, post) where end_date is null;
create index committee_post_of_committee on committee_post (committee_id, post, post_id);
create index committee_post_of_member on committee_post (member_id, branch_id) where end_date is null;
select kit_protect('committee_post');
revoke delete on committee_post from "{{service}}_app", "{{service}}_province";
