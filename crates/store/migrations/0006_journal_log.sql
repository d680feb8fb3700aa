-- The journal as a sealed log (Merkle tree, signed checkpoints) and the readers of it.

-- What the request said of itself and what an event tells, both JSON.
ALTER TABLE journal ADD COLUMN client {text};
ALTER TABLE journal ADD COLUMN event {text};
-- Which leaf the record is; NULL until it is sealed.
ALTER TABLE journal ADD COLUMN leaf BIGINT;
CREATE INDEX journal_by_leaf ON journal (leaf, sequence);

-- One row. Its lock is what makes nodes seal in turn.
CREATE TABLE journal_log (
    id BIGINT NOT NULL PRIMARY KEY,
    origin {text} NOT NULL,
    size BIGINT NOT NULL,
    -- Records of leaves before this one were cut; the record with this sequence says so.
    first_kept BIGINT NOT NULL,
    cut_sequence BIGINT
);
INSERT INTO journal_log (id, origin, size, first_kept) VALUES (1, '', 0, 0);

-- Up to 256 hashes each. Sequences of the records stand on level 0 only.
CREATE TABLE journal_tile (
    level BIGINT NOT NULL,
    position BIGINT NOT NULL,
    hashes {blob} NOT NULL,
    sequences {blob} NOT NULL,
    PRIMARY KEY (level, position)
);

CREATE TABLE journal_checkpoint (
    size BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    note {text} NOT NULL
);

-- Where readers of the log stand: the next leaf, and who reads.
CREATE TABLE journal_reader (
    name {text} NOT NULL PRIMARY KEY,
    leaf BIGINT NOT NULL,
    owner {text} NOT NULL,
    leased_until BIGINT NOT NULL
);

-- Events that a reader could not deliver yet, or gave up.
CREATE TABLE event_delivery (
    reader {text} NOT NULL,
    leaf BIGINT NOT NULL,
    package {text} NOT NULL,
    attempts BIGINT NOT NULL,
    -- NULL while an earlier event of the package waits.
    next_at BIGINT,
    dead BIGINT NOT NULL,
    error {text} NOT NULL,
    PRIMARY KEY (reader, leaf)
);
CREATE INDEX event_delivery_due ON event_delivery (reader, dead, next_at, leaf);
CREATE INDEX event_delivery_of_package ON event_delivery (reader, package, dead, leaf);
CREATE INDEX event_delivery_by_state ON event_delivery (reader, dead, leaf);
