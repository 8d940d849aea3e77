-- Signed cards of e-IDs and officers' certificates. No names here: a card's code is made anew from the e-ID whenever it is shown.

CREATE TABLE card (
    card_id bytea PRIMARY KEY CHECK (length(card_id) = 16),
    county_code text NOT NULL,
    eid_id text NOT NULL REFERENCES eid,
    member_id text NOT NULL,
    -- Key with which its code is signed; in the key database.
    key_id text NOT NULL,
    -- Keyed digest of what the code says: when that changes, the card is revoked and another one made.
    content_digest bytea NOT NULL,
    -- The one that its holder gets when asking; earlier ones stay good until they expire, unless they were revoked.
    is_current boolean NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE UNIQUE INDEX card_current ON card (eid_id) WHERE is_current;
CREATE INDEX card_eid ON card (eid_id);
CREATE INDEX card_expires ON card (expires_at);

-- What checkers fetch: a digest tells nothing without the card. Kept until the card would have expired.
CREATE TABLE card_revocation (
    card_digest bytea PRIMARY KEY,
    revoked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX card_revocation_revoked ON card_revocation (revoked_at);

CREATE TABLE certificate (
    certificate_id text PRIMARY KEY,
    -- County of the organisation at which it was issued, or the code of the city or province.
    county_code text NOT NULL,
    organisation_id text NOT NULL,
    member_id text NOT NULL,
    account_id text NOT NULL,
    -- The office for which it was issued, or another one that took its place.
    grant_id text NOT NULL REFERENCES office_grant,
    serial_number text NOT NULL UNIQUE,
    -- SHA-256 of the public key: a key has one certificate in its life.
    key_digest bytea NOT NULL UNIQUE,
    certificate bytea NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revocation_reason smallint NOT NULL DEFAULT 0,
    issued_by_member_id text NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX certificate_organisation ON certificate (organisation_id, certificate_id);
CREATE INDEX certificate_living ON certificate (grant_id) WHERE revoked_at IS NULL;
CREATE INDEX certificate_revoked ON certificate (ends_at) WHERE revoked_at IS NOT NULL;

-- The list of revoked certificates as it was last signed. Who revokes says in the same transaction that it is out of date.
CREATE TABLE revocation_list (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    number bigint NOT NULL DEFAULT 0,
    list bytea,
    made_at timestamptz,
    is_stale boolean NOT NULL
);

-- When an office ends, its certificates do, whoever ended it; the job that revokes them is woken.
CREATE FUNCTION wake_certificates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('identity_certificate', '');
    RETURN NULL;
END;
$$;
CREATE TRIGGER office_ended AFTER UPDATE OF ended_at ON office_grant
    FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL) EXECUTE FUNCTION wake_certificates();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['card', 'certificate'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY county ON %I TO identity_app USING (county_code = ANY (visible_counties()))'
            ' WITH CHECK (county_code = ANY (visible_counties()))', name);
    END LOOP;
END;
$$;
-- The list of revocations is the province's; the job finds certificates whose office ended in any county.
CREATE POLICY jobs ON certificate FOR SELECT TO identity_relay USING (true);
CREATE POLICY purge ON card FOR ALL TO identity_relay USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON card, card_revocation, certificate, revocation_list TO identity_app;
GRANT SELECT ON certificate TO identity_relay;
GRANT SELECT, INSERT, UPDATE ON revocation_list TO identity_relay;
GRANT SELECT, DELETE ON card, card_revocation TO identity_relay;
