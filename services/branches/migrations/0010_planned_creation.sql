-- A creation is a change too, done or planned: it stands at the parent (organisation_id), and target_id is the new organisation
-- once that is made. The version that ran before this leaves the new columns alone.
alter table organisation_change
drop constraint organisation_change_kind_check,
-- 1 rename, 2 move, 3 merge, 4 split, 5 dissolve, 6 create.
add constraint organisation_change_kind_check check (kind between 1 and 6),
add column new_level smallint check (new_level between 2 and 5),
-- Division code of an administrative one.
add column new_code text not null default '',
add column term_years smallint check (term_years > 0),
add constraint organisation_change_creation_check check ((kind = 6) = (new_level is not null and term_years is not null));
