-- A certificate is asked for by an organisation and confirmed by the officer, and only then signed.

CREATE TABLE certificate_request (
    -- The same that the certificate gets.
    certificate_id text PRIMARY KEY,
    -- County of the organisation that asks, or the code of the city or province.
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    member_id text NOT NULL,
    -- Account and office as they were when it was asked for: with others it cannot be confirmed.
    account_id text NOT NULL,
    grant_id text NOT NULL REFERENCES office_grant,
    key_digest bytea NOT NULL,
    -- Kept while it waits.
    public_key bytea,
    -- 1 waiting, 2 issued, 3 refused, 4 withdrawn, 5 expired.
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    requested_by_member_id text NOT NULL,
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    version bigint NOT NULL,
    CHECK ((state = 1) = (public_key IS NOT NULL)),
    CHECK ((state = 1) = (decided_at IS NULL))
);
-- A key that waits, was certified or was refused is not asked for again; withdrawn and expired ones are free.
CREATE UNIQUE INDEX certificate_request_key ON certificate_request (key_digest) WHERE state IN (1, 2, 3);
-- One at a time, so that the officer cannot confuse them.
CREATE UNIQUE INDEX certificate_request_waiting ON certificate_request (organisation_id, member_id) WHERE state = 1;
CREATE INDEX certificate_request_organisation ON certificate_request (organisation_id, certificate_id);
CREATE INDEX certificate_request_member ON certificate_request (member_id, certificate_id);
CREATE INDEX certificate_request_expires ON certificate_request (expires_at) WHERE state = 1;

-- Certificates of the time before were issued without being confirmed; their lists have them too. The owner sees no rows
-- of a table that forces row-level security, so it is put off for this one statement.
ALTER TABLE certificate NO FORCE ROW LEVEL SECURITY;
INSERT INTO certificate_request
SELECT
    certificate_id, county_code, organisation_id, member_id, account_id, grant_id, key_digest, NULL, 2,
    issued_by_member_id, starts_at + interval '10 minutes', starts_at + interval '10 minutes',
    starts_at + interval '10 minutes', version
FROM certificate;
ALTER TABLE certificate FORCE ROW LEVEL SECURITY;

-- From now on the database takes no certificate that its holder has not confirmed, also from a process of the last release.
CREATE FUNCTION refuse_unconfirmed_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM certificate_request
        WHERE certificate_id = NEW.certificate_id AND state = 2 AND organisation_id = NEW.organisation_id
          AND member_id = NEW.member_id AND account_id = NEW.account_id AND key_digest = NEW.key_digest
    ) THEN
        RAISE EXCEPTION 'no confirmed request' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER only_confirmed BEFORE INSERT ON certificate
    FOR EACH ROW EXECUTE FUNCTION refuse_unconfirmed_certificate();

ALTER TABLE certificate_request ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY county ON certificate_request TO identity_app USING (county_code = ANY (visible_counties()))
    WITH CHECK (county_code = ANY (visible_counties()));
CREATE POLICY jobs ON certificate_request FOR SELECT TO identity_relay USING (true);
-- An officer's own may stand under any organisation's code.
CREATE POLICY province ON certificate_request FOR SELECT TO identity_province USING (true);
CREATE POLICY province ON certificate FOR SELECT TO identity_province USING (true);
GRANT SELECT, INSERT, UPDATE ON certificate_request TO identity_app;
GRANT SELECT ON certificate_request TO identity_relay;
GRANT SELECT ON certificate_request, certificate TO identity_province;
