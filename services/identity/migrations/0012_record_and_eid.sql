-- Rosters leave the telephone of an e-ID alone; erasures are asked for, listed and ended; one open wish for each field.

ALTER TABLE roster ADD COLUMN notice_count integer NOT NULL DEFAULT 0;
ALTER TABLE roster_row
    -- The row is imported, but something of it is not taken over; what, stands in the payload.
    ADD COLUMN noticed boolean NOT NULL DEFAULT false,
    -- Name or telephone change of somebody who had no e-ID when this was prepared: should there be one by the commit, the
    -- roster is checked anew.
    ADD COLUMN needs_no_eid boolean NOT NULL DEFAULT false,
    -- What the e-ID will say instead, sealed with the person's key.
    ADD COLUMN eid_real_name bytea;
CREATE INDEX roster_row_noticed ON roster_row (roster_id, position) WHERE noticed;

-- An erasure that ended keeps its row, so that its versions go on; the next one takes the row over.
ALTER TABLE erasure_proposal
    -- 1 waits, 2 done, 3 refused, 4 withdrawn, 5 expired.
    ADD COLUMN state smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 5),
    ADD COLUMN decided_by_member_id text,
    ADD COLUMN version bigint NOT NULL DEFAULT 1;
CREATE INDEX erasure_proposal_queue ON erasure_proposal (county_code, made_at, member_id) WHERE state = 1;
CREATE INDEX erasure_proposal_expires ON erasure_proposal (expires_at) WHERE state = 1;

-- Of several open wishes about one field the newest stays; the others are taken back. Only here does the owner see every
-- county.
ALTER TABLE correction NO FORCE ROW LEVEL SECURITY;
UPDATE correction SET state = 4, updated_at = now(), version = version + 1
WHERE state = 1 AND EXISTS (
    SELECT 1 FROM correction later
    WHERE later.member_id = correction.member_id AND later.field = correction.field AND later.state = 1
      AND later.correction_id > correction.correction_id
);
ALTER TABLE correction FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX correction_open_field ON correction (member_id, field) WHERE state = 1;
