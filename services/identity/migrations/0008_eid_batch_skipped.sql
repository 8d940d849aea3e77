-- e-IDs for many people: those who got theirs by another way are counted; two batches are never at the same people.

ALTER TABLE eid_batch ADD COLUMN skipped_count integer NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX eid_batch_running ON eid_batch (organisation_id) WHERE finished_at IS NULL;
-- State 4 of an item: skipped.
CREATE INDEX eid_batch_item_failed ON eid_batch_item (eid_batch_id, position) WHERE state = 3;
-- Sheets of activation codes are about e-IDs that are not yet in use, of which a county soon has few.
CREATE INDEX eid_waiting ON eid (county_code, member_id) WHERE state = 1;
