-- Roles, managed policies and identity providers.

CREATE TABLE iam_role (
    id {text} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL REFERENCES account (id),
    -- Begins and ends with '/'.
    path {text} NOT NULL,
    name {text} NOT NULL,
    description {text} NOT NULL,
    trust_policy {text} NOT NULL,
    max_session_seconds BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

CREATE TABLE role_policy (
    role_id {text} NOT NULL REFERENCES iam_role (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (role_id, name)
);

CREATE TABLE role_tag (
    role_id {text} NOT NULL REFERENCES iam_role (id) ON DELETE CASCADE,
    key {text} NOT NULL,
    value {text} NOT NULL,
    PRIMARY KEY (role_id, key)
);

CREATE TABLE managed_policy (
    arn {text} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL REFERENCES account (id),
    path {text} NOT NULL,
    name {text} NOT NULL,
    id {text} NOT NULL,
    description {text} NOT NULL,
    default_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

CREATE TABLE managed_policy_version (
    policy_arn {text} NOT NULL REFERENCES managed_policy (arn) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    document {text} NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (policy_arn, version)
);

CREATE TABLE role_attachment (
    role_id {text} NOT NULL REFERENCES iam_role (id) ON DELETE CASCADE,
    policy_arn {text} NOT NULL REFERENCES managed_policy (arn),
    PRIMARY KEY (role_id, policy_arn)
);
CREATE INDEX role_attachment_of_policy ON role_attachment (policy_arn, role_id);

CREATE TABLE oidc_provider (
    arn {text} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL REFERENCES account (id),
    -- The issuer's URL as it was given.
    url {text} NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, url)
);

CREATE TABLE oidc_client (
    provider_arn {text} NOT NULL REFERENCES oidc_provider (arn) ON DELETE CASCADE,
    client_id {text} NOT NULL,
    PRIMARY KEY (provider_arn, client_id)
);
