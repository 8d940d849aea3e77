-- The key database: what makes the personal data in the database `identity` readable and searchable.
-- It has short backups of its own (30 days at most), so that an erased key is gone for good soon after.

-- Proves, before anything is unwrapped, that the master key in hand is the one that was used here.
CREATE TABLE master_key_check (
    master_version integer PRIMARY KEY,
    proof bytea NOT NULL
);

-- Keys of the blind indexes: one per county for search, one for the whole province for the index of numbers.
CREATE TABLE index_key (
    purpose text PRIMARY KEY,
    master_version integer NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- One data key per person. `confirmed` is false until the person's application stands in the other database: a key
-- that stays unconfirmed belongs to an application that was never committed, and is swept away.
CREATE TABLE member_key (
    member_id text PRIMARY KEY,
    county_code text NOT NULL,
    master_version integer NOT NULL,
    wrapped bytea NOT NULL,
    confirmed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
CREATE INDEX member_key_unconfirmed ON member_key (created_at) WHERE NOT confirmed;
CREATE INDEX member_key_master_version ON member_key (master_version);

-- What a county can be searched by: keyed tokens of whole values and of fixed parts of them, never free substrings.
CREATE TABLE search_token (
    county_code text NOT NULL,
    token bytea NOT NULL,
    member_id text NOT NULL REFERENCES member_key ON DELETE CASCADE,
    -- 1: name, numbers; replaced as a whole when the applicant corrects them. 2: serial number of the e-ID.
    source smallint NOT NULL,
    PRIMARY KEY (county_code, token, member_id)
);
CREATE INDEX search_token_member ON search_token (member_id, source);

-- Seeds of the one-time codes, one per e-ID, sealed with the member's key.
CREATE TABLE totp_seed (
    eid_id text PRIMARY KEY,
    member_id text NOT NULL REFERENCES member_key ON DELETE CASCADE,
    county_code text NOT NULL,
    sealed bytea NOT NULL
);

-- Numbers across all counties. The running service cannot read these two tables: it asks functions, which say yes or no.
CREATE TABLE number_index (
    kind smallint NOT NULL, -- 1: resident number, 2: telephone
    token bytea NOT NULL,
    member_id text NOT NULL REFERENCES member_key ON DELETE CASCADE,
    county_code text NOT NULL,
    PRIMARY KEY (kind, token, member_id)
);
CREATE INDEX number_index_member ON number_index (member_id);

-- Who has, or is about to get, the one living e-ID for a resident number.
CREATE TABLE number_holder (
    token bytea PRIMARY KEY,
    member_id text NOT NULL UNIQUE REFERENCES member_key ON DELETE CASCADE
);

CREATE INDEX totp_seed_member ON totp_seed (member_id);

CREATE FUNCTION visible_counties() RETURNS text[] LANGUAGE sql STABLE
    RETURN string_to_array(current_setting('zhibu.counties', true), ',');

-- Only the functions below, which run as the owner, read and write the two tables that span counties.
ALTER TABLE number_index ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY functions ON number_index TO identity_keys_owner USING (true) WITH CHECK (true);
ALTER TABLE member_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE search_token ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE totp_seed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY county ON member_key TO identity_keys_app
    USING (county_code = ANY (visible_counties())) WITH CHECK (county_code = ANY (visible_counties()));
CREATE POLICY county ON search_token TO identity_keys_app
    USING (county_code = ANY (visible_counties())) WITH CHECK (county_code = ANY (visible_counties()));
CREATE POLICY county ON totp_seed TO identity_keys_app
    USING (county_code = ANY (visible_counties())) WITH CHECK (county_code = ANY (visible_counties()));
-- Jobs: sweeping unconfirmed keys, erasing, wrapping anew after a change of the master key.
CREATE POLICY jobs ON member_key TO identity_keys_relay USING (true) WITH CHECK (true);

GRANT SELECT, INSERT ON master_key_check TO identity_keys_app;
GRANT SELECT, INSERT, UPDATE ON index_key TO identity_keys_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON member_key, search_token, totp_seed TO identity_keys_app;
GRANT SELECT, UPDATE, DELETE ON member_key TO identity_keys_relay;

CREATE FUNCTION number_put(given_kind smallint, given_token bytea, given_member_id text, given_county_code text)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        INSERT INTO number_index (kind, token, member_id, county_code)
        VALUES (given_kind, given_token, given_member_id, given_county_code)
        ON CONFLICT DO NOTHING;
    END;

CREATE FUNCTION number_drop(given_member_id text)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        DELETE FROM number_index WHERE member_id = given_member_id;
    END;

-- Whether somebody else has the number: in the given county, or in any other one.
CREATE FUNCTION number_known(given_kind smallint, given_token bytea, but_member_id text, given_county_code text, elsewhere boolean)
    RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    RETURN EXISTS (
        SELECT 1 FROM number_index
        WHERE kind = given_kind AND token = given_token AND member_id <> but_member_id
          AND (county_code <> given_county_code) = elsewhere
    );

-- Take the number for a member; false when another member has it. Taking it twice is the same as once.
CREATE FUNCTION number_hold(given_token bytea, given_member_id text)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
    BEGIN
        -- A number that was corrected since the last, undone approval is let go.
        DELETE FROM number_holder WHERE member_id = given_member_id AND token <> given_token;
        INSERT INTO number_holder (token, member_id) VALUES (given_token, given_member_id) ON CONFLICT DO NOTHING;
        RETURN EXISTS (SELECT 1 FROM number_holder WHERE token = given_token AND member_id = given_member_id);
    END;
    $$;

CREATE FUNCTION number_release(given_member_id text)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        DELETE FROM number_holder WHERE member_id = given_member_id;
    END;

REVOKE ALL ON FUNCTION number_put, number_drop, number_known, number_hold, number_release FROM PUBLIC;
GRANT EXECUTE ON FUNCTION number_put, number_drop, number_known, number_hold, number_release TO identity_keys_app;
GRANT USAGE ON SCHEMA public TO identity_keys_app, identity_keys_relay;
