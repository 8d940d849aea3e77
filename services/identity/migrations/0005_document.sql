-- Originals about a member, sealed piece by piece with the member's key.

CREATE TABLE document (
    document_id text PRIMARY KEY,
    county_code text NOT NULL,
    member_id text NOT NULL,
    file_name bytea NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL,
    chunk_count integer NOT NULL,
    made_by_member_id text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX document_member ON document (member_id, document_id);

CREATE TABLE document_chunk (
    document_id text NOT NULL REFERENCES document DEFERRABLE INITIALLY DEFERRED,
    county_code text NOT NULL,
    position integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (document_id, position)
);
-- Sealed bytes cannot be compressed.
ALTER TABLE document_chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['document', 'document_chunk'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY county ON %I TO identity_app USING (county_code = ANY (visible_counties()))'
            ' WITH CHECK (county_code = ANY (visible_counties()))', name);
    END LOOP;
END;
$$;
GRANT SELECT, INSERT, UPDATE ON document, document_chunk TO identity_app;
