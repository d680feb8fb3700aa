-- When versions were first seen in an index that does not say their age: a JSON object from version to milliseconds.
-- Kept for as long as the index is.
CREATE TABLE upstream_sighting (
    index_id {row} NOT NULL PRIMARY KEY REFERENCES upstream_index (id) ON DELETE CASCADE,
    versions {text} NOT NULL
);
