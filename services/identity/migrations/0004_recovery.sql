-- An e-ID given back to its member: credentials renewed, or another e-ID in its place. Two officers, within a day.

CREATE TABLE recovery (
    recovery_id text PRIMARY KEY,
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    eid_id text NOT NULL REFERENCES eid,
    member_id text NOT NULL,
    kind smallint NOT NULL CHECK (kind IN (1, 2)),
    reason smallint NOT NULL,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    started_by_member_id text NOT NULL,
    confirmed_by_member_id text,
    -- What a replacement gets, given once before the account is opened: an attempt that follows finds it here.
    new_eid_id text,
    new_eid_number bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL
);
-- One at a time for each e-ID, also when two officers begin at once.
CREATE UNIQUE INDEX recovery_waiting ON recovery (eid_id) WHERE state = 1;
CREATE INDEX recovery_queue ON recovery (county_code, recovery_id) WHERE state = 1;
CREATE INDEX recovery_expires ON recovery (expires_at) WHERE state = 1;

ALTER TABLE recovery ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY county ON recovery TO identity_app USING (county_code = ANY (visible_counties()))
    WITH CHECK (county_code = ANY (visible_counties()));
CREATE POLICY jobs ON recovery FOR SELECT TO identity_relay USING (true);
GRANT SELECT ON recovery TO identity_relay;
GRANT SELECT, INSERT, UPDATE ON recovery TO identity_app;

-- Whom only an approval made known that was undone is forgotten.
GRANT DELETE ON person TO identity_app;
