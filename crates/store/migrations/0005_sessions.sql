-- Temporary credentials, and authorization tokens that they obtained.

CREATE TABLE session (
    access_key_id {text} NOT NULL PRIMARY KEY,
    -- The secret is made from the session token, of which only this is kept.
    token_sha256 {blob} NOT NULL,
    -- Whose session it is: a user or a role.
    user_id {text} REFERENCES iam_user (id) ON DELETE CASCADE,
    role_id {text} REFERENCES iam_role (id) ON DELETE CASCADE,
    -- What the session of a role is called, and what it was given, as JSON. '' and '{}' for a user's.
    name {text} NOT NULL,
    scope {text} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The latest end of it and of the tokens that it obtained.
    kept_until BIGINT NOT NULL
);
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_of_role ON session (role_id);
CREATE INDEX session_end ON session (kept_until);

-- Web identity tokens that were exchanged, until they end.
CREATE TABLE spent_token (
    issuer {text} NOT NULL,
    id {text} NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, id)
){clustered};
CREATE INDEX spent_token_expiry ON spent_token (expires_at);

-- A token belongs to a user, or to the session of a role. It was obtained with an access key or with a session.
ALTER TABLE token RENAME TO old_token;
DROP INDEX token_of_user;
DROP INDEX token_expiry;
DROP INDEX token_of_access_key;
DROP INDEX token_of_domain;
CREATE TABLE token (
    id {text} NOT NULL PRIMARY KEY,
    sha256 {blob} NOT NULL UNIQUE,
    user_id {text} REFERENCES iam_user (id) ON DELETE CASCADE,
    access_key_id {text} REFERENCES access_key (id) ON DELETE CASCADE,
    session_id {text} REFERENCES session (access_key_id) ON DELETE CASCADE,
    domain_id BIGINT NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    read_only BIGINT NOT NULL,
    label {text} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
INSERT INTO token (id, sha256, user_id, access_key_id, domain_id, read_only, label, created_at, expires_at)
SELECT id, sha256, user_id, access_key_id, domain_id, read_only, label, created_at, expires_at FROM old_token;
DROP TABLE old_token;
CREATE INDEX token_of_user ON token (user_id, created_at, id);
CREATE INDEX token_expiry ON token (user_id, expires_at);
CREATE INDEX token_of_access_key ON token (access_key_id);
CREATE INDEX token_of_session ON token (session_id);
CREATE INDEX token_of_domain ON token (domain_id);
