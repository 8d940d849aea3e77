-- e-IDs for many people: one whose issuing fails does not hold up the others, and is tried singly a few times.

-- How often it failed, and until when they wait before it is tried again.
ALTER TABLE eid_batch_item ADD COLUMN attempts integer NOT NULL DEFAULT 0;
ALTER TABLE eid_batch_item ADD COLUMN due_at timestamptz;
