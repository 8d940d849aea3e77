-- Rosters on their way into the records. What tells who somebody is stands here sealed with a key of the roster's own
-- (member_key in the key database, under the roster's identifier), which dies with the roster.

CREATE TABLE roster (
    roster_id text PRIMARY KEY,
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    made_by_member_id text NOT NULL,
    -- 0 while the file arrives; then the contract's numbers.
    state smallint NOT NULL CHECK (state BETWEEN 0 AND 7),
    file_digest bytea,
    file_name bytea NOT NULL,
    -- Sealed JSON: sheets, columns with their first values; empty until the file was looked at.
    layout bytea,
    -- What was chosen by hand, which stands over what we propose.
    chosen bytea,
    sheet_name bytea,
    failure text NOT NULL DEFAULT '',
    row_count integer NOT NULL DEFAULT 0,
    checked_count integer NOT NULL DEFAULT 0,
    new_count integer NOT NULL DEFAULT 0,
    changed_count integer NOT NULL DEFAULT 0,
    same_count integer NOT NULL DEFAULT 0,
    gone_count integer NOT NULL DEFAULT 0,
    problem_count integer NOT NULL DEFAULT 0,
    application_match_count integer NOT NULL DEFAULT 0,
    committed_count integer NOT NULL DEFAULT 0,
    committed_by_member_id text,
    -- What follows a commit in the key database is done.
    settled boolean NOT NULL DEFAULT false,
    leased_until timestamptz,
    -- Rises with each lease: whoever lost it writes nothing more.
    lease bigint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    committed_at timestamptz,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX roster_organisation ON roster (organisation_id, roster_id);
CREATE INDEX roster_file ON roster (organisation_id, file_digest);
CREATE INDEX roster_work ON roster (due_at) WHERE state IN (1, 4) OR NOT settled;

CREATE TABLE roster_piece (
    roster_id text NOT NULL REFERENCES roster,
    county_code text NOT NULL,
    position integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (roster_id, position)
);

CREATE TABLE roster_row (
    roster_id text NOT NULL REFERENCES roster,
    county_code text NOT NULL,
    position integer NOT NULL,
    -- 0 for people who are not in the file.
    row_number integer NOT NULL,
    difference smallint NOT NULL,
    application_match boolean NOT NULL,
    member_id text,
    -- A name that the county has no branch for, and of the organisation above; empty otherwise.
    missing_branch text NOT NULL,
    missing_committee text NOT NULL,
    -- What branches is told: place and standing, nothing that says who it is.
    branch_id text NOT NULL,
    status smallint NOT NULL,
    applied_date text NOT NULL,
    admitted_date text NOT NULL,
    confirmed_date text NOT NULL,
    occupation smallint NOT NULL,
    -- Sealed JSON: what the row says, its problems or changes.
    payload bytea NOT NULL,
    -- What the person's row will hold, sealed with the person's key; made before the commit, with the version that it
    -- was made from.
    details bytea,
    person_version bigint,
    PRIMARY KEY (roster_id, position)
);
CREATE INDEX roster_row_difference ON roster_row (roster_id, difference, position);
CREATE INDEX roster_row_member ON roster_row (roster_id, member_id);
CREATE INDEX roster_row_unmade ON roster_row (roster_id, position) WHERE details IS NULL AND difference IN (1, 2);

-- What rosters last said of a person's dates and occupation, so that the next one is compared with it and an export
-- writes it. What counts stands in branches.
CREATE TABLE roster_fact (
    member_id text PRIMARY KEY,
    county_code text NOT NULL,
    status smallint NOT NULL,
    applied_date text NOT NULL,
    admitted_date text NOT NULL,
    confirmed_date text NOT NULL,
    occupation smallint NOT NULL
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['roster', 'roster_piece', 'roster_row', 'roster_fact'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY county ON %I TO identity_app USING (county_code = ANY (visible_counties()))'
            ' WITH CHECK (county_code = ANY (visible_counties()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO identity_app', name);
    END LOOP;
    -- The worker finds rosters of any county, and works on one within its county's scope.
    EXECUTE 'CREATE POLICY jobs ON roster TO identity_relay USING (true) WITH CHECK (true)';
    EXECUTE 'GRANT SELECT, UPDATE ON roster TO identity_relay';
END;
$$;

-- An application that fits a person of a roster becomes theirs when it is approved; a person can have had others.
ALTER TABLE application DROP CONSTRAINT application_member_id_key;
CREATE INDEX application_member ON application (member_id);
