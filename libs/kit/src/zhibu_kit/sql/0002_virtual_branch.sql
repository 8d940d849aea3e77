-- Virtual branches hold nobody, which services must know without asking branches. Whoever still runs the version before
-- leaves the column as it is; reconciling fills it in.
alter table kit_organisation add column virtual boolean not null default false;
