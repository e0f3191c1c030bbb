-- Instants are microseconds since 1970. Tables that only grow say so by a trigger: a defect of ours, or a hand on the
-- file, then stops instead of rewriting what happened.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE aggregate (
    merchant TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    version  INTEGER NOT NULL CHECK (version >= 1),
    state    TEXT    NOT NULL,
    wake_at  INTEGER,
    PRIMARY KEY (merchant, kind, id)
) STRICT;
CREATE INDEX aggregate_due ON aggregate (wake_at, merchant, kind, id) WHERE wake_at IS NOT NULL;
CREATE TRIGGER aggregate_is_made BEFORE INSERT ON aggregate WHEN NEW.version <> 1
BEGIN SELECT RAISE(ABORT, 'an aggregate begins with version 1'); END;
CREATE TRIGGER aggregate_grows BEFORE UPDATE ON aggregate WHEN NEW.version <> OLD.version + 1
BEGIN SELECT RAISE(ABORT, 'a version grows by one'); END;

-- Beginning with what is asked for, so that a list is read in the order of ids.
CREATE TABLE label (
    merchant TEXT NOT NULL,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    value    TEXT NOT NULL,
    id       TEXT NOT NULL,
    PRIMARY KEY (merchant, kind, name, value, id),
    FOREIGN KEY (merchant, kind, id) REFERENCES aggregate
) STRICT, WITHOUT ROWID;
CREATE INDEX label_of_aggregate ON label (merchant, kind, id);

-- One writer at a time and positions that are never given again: the order of positions is the order of commits.
CREATE TABLE event (
    position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    merchant TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    event    TEXT    NOT NULL,
    FOREIGN KEY (merchant, kind, id) REFERENCES aggregate
) STRICT;
CREATE INDEX event_of_merchant ON event (merchant);
CREATE INDEX event_of_aggregate ON event (merchant, kind, id);
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;

CREATE TABLE claim (
    merchant TEXT NOT NULL,
    kind     TEXT NOT NULL,
    value    TEXT NOT NULL,
    owner    TEXT NOT NULL,
    PRIMARY KEY (merchant, kind, value)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER claim_is_never_changed BEFORE UPDATE ON claim
BEGIN SELECT RAISE(ABORT, 'a claim is never changed'); END;
CREATE TRIGGER claim_is_never_deleted BEFORE DELETE ON claim
BEGIN SELECT RAISE(ABORT, 'a claim is never deleted'); END;

CREATE TABLE answer (
    key         TEXT    NOT NULL PRIMARY KEY,
    fingerprint TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    sealed      BLOB    NOT NULL,
    -- All 64 bits are used, so a version beyond the half reads as negative here.
    version     INTEGER,
    given_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_given ON answer (given_at);

CREATE TABLE callback (
    position    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    merchant    TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    verdict     TEXT    NOT NULL,
    reason      TEXT,
    order_id    TEXT,
    sealed      BLOB    NOT NULL
) STRICT;
CREATE INDEX callback_of_merchant ON callback (merchant);
CREATE INDEX callback_of_nobody ON callback (merchant) WHERE order_id IS NULL;

CREATE TABLE counter (
    name TEXT    NOT NULL PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
