-- Keys with which the province signs: cards of e-IDs (Ed25519), officers' certificates (the authority's key).

CREATE TABLE signing_key (
    key_id text PRIMARY KEY,
    purpose smallint NOT NULL CHECK (purpose IN (1, 2)), -- 1: cards, 2: certificates
    -- Wrapped by the master key. Null once nothing is signed with it any more: it is destroyed then, the public half stays.
    master_version integer,
    wrapped bytea,
    -- The raw public key of cards; the authority's certificate, DER.
    public bytea NOT NULL,
    not_before timestamptz NOT NULL,
    not_after timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK ((wrapped IS NULL) = (master_version IS NULL))
);
CREATE INDEX signing_key_purpose ON signing_key (purpose, not_before);
-- One authority: a second one would need lists of revocations of its own.
CREATE UNIQUE INDEX signing_key_authority ON signing_key (purpose) WHERE purpose = 2;

GRANT SELECT, INSERT, UPDATE ON signing_key TO identity_keys_app;
