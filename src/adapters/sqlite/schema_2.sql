-- The day from which a debit run may take an aggregate up, in days since 1970-01-01.
ALTER TABLE aggregate ADD COLUMN ready_on INTEGER;

-- In the order of ids, which a run pages through: each page is read from where the last one ended, and what is not ready
-- yet is passed over without its row.
CREATE INDEX aggregate_ready ON aggregate (merchant, kind, id, ready_on) WHERE ready_on IS NOT NULL;
