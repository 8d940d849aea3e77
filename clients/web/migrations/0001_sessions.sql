-- Sessions: what the web client remembers of one browser between two pages, sealed with a key that the database does not have.
CREATE TABLE session (
    -- SHA-256 of the identifier in the cookie: who reads the table cannot take over a session.
    session_hash bytea PRIMARY KEY CHECK (length(session_hash) = 32),
    kind text NOT NULL CHECK (kind IN ('visitor', 'member')),
    -- Keycloak's account and log-in, by which a back-channel log-out finds the session.
    account_id text,
    login_id text,
    -- NULL when the session was ended from elsewhere: the row stays so that the person can be told why.
    sealed bytea,
    ended_reason text CHECK (ended_reason IN ('logged_out', 'refused', 'expired')),
    create_time timestamptz NOT NULL,
    touch_time timestamptz NOT NULL,
    idle_expire_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    CHECK ((sealed IS NULL) = (ended_reason IS NOT NULL)),
    CHECK (kind = 'visitor' OR account_id IS NOT NULL)
);

CREATE INDEX session_login_idx ON session (login_id) WHERE login_id IS NOT NULL;
CREATE INDEX session_account_idx ON session (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX session_expiry_idx ON session (idle_expire_time);

GRANT SELECT, INSERT, UPDATE, DELETE ON session TO {{service}}_app;
