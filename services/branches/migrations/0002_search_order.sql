-- Searches for what most names hold (党支部) take the first page from these, in the order in which it is shown, instead of
-- finding every match and sorting them: measured on 300,000 branches, 1.1 s became a few milliseconds.
create index organisation_order on organisation (level, organisation_id) where active;
create index organisation_county_order on organisation (county_code, level, organisation_id) where active;
