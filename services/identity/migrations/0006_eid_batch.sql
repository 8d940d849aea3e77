-- e-IDs for many people at once: a list that a job works through, a hundred in each go.

CREATE TABLE eid_batch (
    eid_batch_id text PRIMARY KEY,
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    made_by_member_id text NOT NULL,
    total_count integer NOT NULL,
    issued_count integer NOT NULL DEFAULT 0,
    failed_count integer NOT NULL DEFAULT 0,
    leased_until timestamptz,
    -- Rises with each lease: whoever lost it stores nothing more.
    lease bigint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX eid_batch_organisation ON eid_batch (organisation_id, eid_batch_id);
CREATE INDEX eid_batch_work ON eid_batch (due_at) WHERE finished_at IS NULL;

CREATE TABLE eid_batch_item (
    eid_batch_id text NOT NULL REFERENCES eid_batch,
    county_code text NOT NULL,
    position integer NOT NULL,
    member_id text NOT NULL,
    -- Reserved before the account is opened, so that whatever is cut off is done again under the same number.
    eid_id text,
    eid_number bytea,
    -- 1 waits, 2 issued, 3 failed.
    state smallint NOT NULL,
    failure_reason text NOT NULL DEFAULT '',
    PRIMARY KEY (eid_batch_id, position)
);
CREATE INDEX eid_batch_item_waiting ON eid_batch_item (eid_batch_id, position) WHERE state = 1;
-- Of two batches at once, one issues a person's e-ID.
CREATE UNIQUE INDEX eid_batch_item_member ON eid_batch_item (member_id) WHERE state = 1;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['eid_batch', 'eid_batch_item'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY county ON %I TO identity_app USING (county_code = ANY (visible_counties()))'
            ' WITH CHECK (county_code = ANY (visible_counties()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO identity_app', name);
    END LOOP;
    EXECUTE 'CREATE POLICY jobs ON eid_batch TO identity_relay USING (true) WITH CHECK (true)';
    EXECUTE 'GRANT SELECT, UPDATE ON eid_batch TO identity_relay';
END;
$$;
