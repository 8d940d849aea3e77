-- Telephones that were replaced a moment ago, sealed: whoever holds one is told of the change, and then it is forgotten.

CREATE TABLE former_telephone (
    member_id text NOT NULL,
    -- Version of the person's record that brought the new one, as TelephoneChanged names it.
    version bigint NOT NULL,
    county_code text NOT NULL,
    telephone bytea NOT NULL,
    replaced_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, version)
);
CREATE INDEX former_telephone_age ON former_telephone (replaced_at);

ALTER TABLE former_telephone ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY county ON former_telephone TO identity_app USING (county_code = ANY (visible_counties()))
    WITH CHECK (county_code = ANY (visible_counties()));
-- notify asks for members of any county; the sweep forgets those of all.
CREATE POLICY province ON former_telephone FOR SELECT TO identity_province USING (true);
CREATE POLICY jobs ON former_telephone TO identity_relay USING (true);
GRANT SELECT ON former_telephone TO identity_province;
GRANT SELECT, DELETE ON former_telephone TO identity_relay;
GRANT SELECT, INSERT, UPDATE ON former_telephone TO identity_app;
