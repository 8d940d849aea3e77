-- Who the members are: one row per member, made by an approved application or by a roster; with or without an e-ID.

CREATE TABLE person (
    member_id text PRIMARY KEY,
    county_code text NOT NULL,
    -- Physical branch, as branches says (or, until it does, as the roster said); empty when none holds the person.
    branch_id text NOT NULL,
    -- Sealed JSON: names, numbers, schooling, work, address.
    details bytea NOT NULL,
    in_roster boolean NOT NULL,
    -- Numbers of zhibu.branches.v1.PartyStatus and Standing; 0 until branches has told.
    party_status smallint NOT NULL DEFAULT 0,
    standing smallint NOT NULL DEFAULT 0,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX person_branch ON person (county_code, branch_id, member_id);

-- Where members belong, as branches tells: physical and virtual, present and past.
CREATE TABLE member_place (
    membership_id text PRIMARY KEY,
    member_id text NOT NULL,
    branch_id text NOT NULL,
    county_code text NOT NULL,
    kind smallint NOT NULL,
    active boolean NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX member_place_member ON member_place (member_id) WHERE active;
CREATE INDEX member_place_branch ON member_place (branch_id, member_id) WHERE active;

-- Posts in committees, as branches tells. The office that follows a post is the grant whose id is the post's.
CREATE TABLE member_post (
    post_id text PRIMARY KEY,
    member_id text NOT NULL,
    branch_id text NOT NULL,
    county_code text NOT NULL,
    post smallint NOT NULL,
    active boolean NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX member_post_member ON member_post (member_id) WHERE active;

-- A member's wish to have the own record corrected.
CREATE TABLE correction (
    correction_id text PRIMARY KEY,
    county_code text NOT NULL,
    member_id text NOT NULL,
    field smallint NOT NULL,
    wanted_value bytea NOT NULL,
    reason bytea NOT NULL,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    reply_note bytea,
    decided_by_member_id text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX correction_member ON correction (member_id, correction_id);
CREATE INDEX correction_open ON correction (county_code, correction_id) WHERE state = 1;

-- The first of two officers wants a person's key destroyed.
CREATE TABLE erasure_proposal (
    member_id text PRIMARY KEY,
    county_code text NOT NULL,
    proposed_by_member_id text NOT NULL,
    reason text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Sums per branch (empty: people whom no branch holds), so that no chart needs a name. A row here, left by the transaction
-- that changes one of its people, has a job count the branch anew. Rows are only added, so nobody waits for anybody.
CREATE TABLE statistic_mark (
    mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    county_code text NOT NULL,
    branch_id text NOT NULL
);
CREATE INDEX statistic_mark_branch ON statistic_mark (county_code, branch_id);

CREATE TABLE statistic_branch (
    county_code text NOT NULL,
    branch_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    PRIMARY KEY (county_code, branch_id)
);

CREATE TABLE statistic_count (
    county_code text NOT NULL,
    branch_id text NOT NULL,
    -- 1: all, 2: year of birth, 3: gender, 4: schooling, 5: ethnicity (1 Han, 2 others).
    dimension smallint NOT NULL,
    value integer NOT NULL,
    people_count integer NOT NULL,
    PRIMARY KEY (county_code, branch_id, dimension, value)
);
CREATE INDEX statistic_count_branch ON statistic_count (branch_id);

ALTER TABLE eid ALTER COLUMN application_id DROP NOT NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'person', 'member_place', 'member_post', 'correction', 'erasure_proposal', 'statistic_mark', 'statistic_branch',
        'statistic_count'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY county ON %I TO identity_app USING (county_code = ANY (visible_counties()))'
            ' WITH CHECK (county_code = ANY (visible_counties()))', name);
        -- Reconciliation and jobs look into every county, and change what they find within that county's scope.
        EXECUTE format('CREATE POLICY jobs ON %I FOR SELECT TO identity_relay USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO identity_relay', name);
    END LOOP;
    -- Members of a virtual branch live in several counties; sums are told for cities and the province.
    FOREACH name IN ARRAY ARRAY['person', 'eid', 'member_place', 'member_post', 'statistic_branch', 'statistic_count'] LOOP
        EXECUTE format('CREATE POLICY province ON %I FOR SELECT TO identity_province USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO identity_province', name);
    END LOOP;
END;
$$;

GRANT SELECT, INSERT, UPDATE ON person, member_place, member_post, correction TO identity_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON erasure_proposal, statistic_mark, statistic_branch,
    statistic_count TO identity_app;
