-- When access keys were last used, to the hour.
CREATE TABLE access_key_use (
    access_key_id {text} NOT NULL PRIMARY KEY REFERENCES access_key (id) ON DELETE CASCADE,
    used_at BIGINT NOT NULL,
    service {text} NOT NULL,
    region {text} NOT NULL
);
