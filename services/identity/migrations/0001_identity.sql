-- identity: applications, e-IDs, grants of office. Everything that tells who somebody is stands here only sealed (bytea);
-- the keys are in the database `identity_keys`.

-- Counters of the numbers that we give: kind 1 cases, kind 2 e-IDs.
CREATE TABLE county_sequence (
    county_code text NOT NULL,
    kind smallint NOT NULL,
    year smallint NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (county_code, kind, year)
);

CREATE TABLE county_settings (
    county_code text PRIMARY KEY,
    applications_open boolean NOT NULL,
    activation_by_telephone boolean NOT NULL,
    help_telephone text NOT NULL,
    help_hours text NOT NULL,
    version bigint NOT NULL
);

-- A telephone that somebody proves to have. Number, code and token are kept as keyed digests only.
CREATE TABLE telephone_proof (
    telephone_proof_id text PRIMARY KEY,
    telephone_digest bytea NOT NULL,
    code_digest bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    wrong_count smallint NOT NULL DEFAULT 0,
    token_digest bytea UNIQUE,
    token_expires_at timestamptz,
    used_at timestamptz
);
CREATE INDEX telephone_proof_expires ON telephone_proof (expires_at);

-- How often codes were asked for or tried; the subject is a keyed digest.
CREATE TABLE rate_window (
    purpose text NOT NULL,
    subject bytea NOT NULL,
    began_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    event_count integer NOT NULL,
    PRIMARY KEY (purpose, subject)
);
CREATE INDEX rate_window_last ON rate_window (last_at);

CREATE TABLE application (
    application_id text PRIMARY KEY,
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    member_id text NOT NULL UNIQUE,
    case_number text NOT NULL UNIQUE,
    case_code_digest bytea NOT NULL,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
    real_name bytea NOT NULL,
    resident_number bytea NOT NULL,
    telephone bytea NOT NULL,
    branch_id text NOT NULL,
    membership_claim smallint NOT NULL,
    consent_version text NOT NULL,
    findings smallint[] NOT NULL,
    claimed_by_member_id text,
    claim_expires_at timestamptz,
    question bytea,
    answer bytea,
    refusal_reason smallint NOT NULL DEFAULT 0,
    refusal_note bytea,
    undo_reason bytea,
    undo_expires_at timestamptz,
    eid_id text,
    submitted_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX application_queue ON application (county_code, state, application_id);
CREATE INDEX application_county ON application (county_code, application_id);

CREATE TABLE application_step (
    application_id text NOT NULL REFERENCES application,
    county_code text NOT NULL,
    version bigint NOT NULL,
    state smallint NOT NULL,
    step_at timestamptz NOT NULL,
    by_member_id text,
    PRIMARY KEY (application_id, version)
);

CREATE TABLE eid (
    eid_id text PRIMARY KEY,
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    member_id text NOT NULL,
    application_id text NOT NULL REFERENCES application,
    account_id text NOT NULL UNIQUE,
    eid_number bytea NOT NULL,
    real_name bytea NOT NULL,
    resident_number bytea NOT NULL,
    telephone bytea NOT NULL,
    branch_id text NOT NULL,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    issued_at timestamptz NOT NULL,
    activated_at timestamptz,
    activation_expires_at timestamptz,
    revoked_at timestamptz,
    revocation_reason smallint NOT NULL DEFAULT 0,
    revocation_note bytea,
    version bigint NOT NULL
);
-- One living e-ID per member, whatever else goes wrong.
CREATE UNIQUE INDEX eid_living ON eid (member_id) WHERE state <> 3;
CREATE INDEX eid_member ON eid (member_id);
CREATE INDEX eid_county ON eid (county_code, eid_id);

-- What has still to be done at Keycloak, at the key database or on a telephone after a commit. A task is done at least
-- once, and each of them may be done twice.
CREATE TABLE account_task (
    task_id text PRIMARY KEY,
    county_code text NOT NULL,
    kind smallint NOT NULL,
    member_id text NOT NULL,
    application_id text,
    eid_id text,
    account_id text,
    eid_number bytea,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    done_at timestamptz
);
CREATE INDEX account_task_due ON account_task (due_at) WHERE done_at IS NULL;
CREATE UNIQUE INDEX account_task_issue ON account_task (application_id) WHERE kind = 1 AND done_at IS NULL;

CREATE TABLE approval_batch (
    approval_batch_id text PRIMARY KEY,
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    made_by_member_id text NOT NULL,
    total_count integer NOT NULL,
    made_at timestamptz NOT NULL
);

CREATE TABLE approval_batch_item (
    approval_batch_id text NOT NULL REFERENCES approval_batch,
    county_code text NOT NULL,
    position integer NOT NULL,
    application_id text NOT NULL,
    etag text NOT NULL,
    state smallint NOT NULL,
    failure_reason text NOT NULL DEFAULT '',
    PRIMARY KEY (approval_batch_id, position)
);
CREATE INDEX approval_batch_item_waiting ON approval_batch_item (approval_batch_id, position) WHERE state = 1;

CREATE TABLE office_grant (
    grant_id text PRIMARY KEY,
    -- County of the organisation, or the code of the city or province.
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    member_id text NOT NULL,
    member_county_code text NOT NULL,
    account_id text NOT NULL,
    office text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    made_by_member_id text,
    version bigint NOT NULL
);
CREATE INDEX office_grant_organisation ON office_grant (organisation_id, grant_id);
CREATE INDEX office_grant_member ON office_grant (member_id);
CREATE INDEX office_grant_account ON office_grant (account_id);

-- Codes that operators make for the first office. The code itself is kept as a digest.
CREATE TABLE bootstrap_code (
    code_digest bytea PRIMARY KEY,
    organisation_id text NOT NULL,
    office text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- The case that it was redeemed for; it works for no other.
    case_number text,
    finished_at timestamptz
);

-- Tokens of an account made up to an instant are refused. Read by services whose deny-list has heard nothing.
CREATE TABLE revocation (
    account_id text PRIMARY KEY,
    revoked_at timestamptz NOT NULL
);
CREATE INDEX revocation_revoked ON revocation (revoked_at);

-- People whose key was erased; applied again after the key database is restored from a backup.
CREATE TABLE erasure (
    member_id text PRIMARY KEY,
    county_code text NOT NULL,
    erased_at timestamptz NOT NULL
);

CREATE FUNCTION visible_counties() RETURNS text[] LANGUAGE sql STABLE
    RETURN string_to_array(current_setting('zhibu.counties', true), ',');

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'county_sequence', 'county_settings', 'application', 'application_step', 'eid', 'account_task',
        'approval_batch', 'approval_batch_item', 'office_grant', 'erasure'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY county ON %I TO identity_app USING (county_code = ANY (visible_counties()))'
            ' WITH CHECK (county_code = ANY (visible_counties()))', name);
    END LOOP;
    -- Jobs find out what is to be done in any county; they do it within that county's scope.
    FOREACH name IN ARRAY ARRAY['account_task', 'approval_batch', 'approval_batch_item', 'erasure'] LOOP
        EXECUTE format('CREATE POLICY jobs ON %I TO identity_relay USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO identity_relay', name);
    END LOOP;
    -- Reconciliation says again how everything stands.
    FOREACH name IN ARRAY ARRAY['application', 'eid', 'office_grant'] LOOP
        EXECUTE format('CREATE POLICY reconciliation ON %I FOR SELECT TO identity_relay USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO identity_relay', name);
    END LOOP;
    GRANT SELECT ON revocation TO identity_relay;
    -- Offices are held above counties too, and a member's own page shows all of them.
    EXECUTE 'CREATE POLICY province ON office_grant TO identity_province USING (true) WITH CHECK (true)';
    EXECUTE 'GRANT SELECT, INSERT, UPDATE ON office_grant TO identity_province';
END;
$$;

GRANT USAGE ON SCHEMA public TO identity_app, identity_relay, identity_province;
GRANT SELECT, INSERT, UPDATE ON county_sequence, county_settings, application, application_step, eid, approval_batch,
    approval_batch_item, office_grant, bootstrap_code, revocation, erasure TO identity_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON telephone_proof, rate_window, account_task TO identity_app;
