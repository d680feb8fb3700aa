-- Groups, managed policies of users and groups, and tags of all identities.

CREATE TABLE iam_group (
    id {text} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL REFERENCES account (id),
    -- Begins and ends with '/'.
    path {text} NOT NULL,
    name {text} NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

CREATE TABLE group_member (
    group_id {text} NOT NULL REFERENCES iam_group (id) ON DELETE CASCADE,
    user_id {text} NOT NULL REFERENCES iam_user (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_member_of_user ON group_member (user_id, group_id);

CREATE TABLE group_policy (
    group_id {text} NOT NULL REFERENCES iam_group (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (group_id, name)
);

-- Attachments name policies that stand in no table too: those that are built in.

DROP TABLE role_attachment;
CREATE TABLE role_attachment (
    role_id {text} NOT NULL REFERENCES iam_role (id) ON DELETE CASCADE,
    policy_arn {text} NOT NULL,
    PRIMARY KEY (role_id, policy_arn)
);
CREATE INDEX role_attachment_of_policy ON role_attachment (policy_arn, role_id);

CREATE TABLE user_attachment (
    user_id {text} NOT NULL REFERENCES iam_user (id) ON DELETE CASCADE,
    policy_arn {text} NOT NULL,
    PRIMARY KEY (user_id, policy_arn)
);
CREATE INDEX user_attachment_of_policy ON user_attachment (policy_arn, user_id);

CREATE TABLE group_attachment (
    group_id {text} NOT NULL REFERENCES iam_group (id) ON DELETE CASCADE,
    policy_arn {text} NOT NULL,
    PRIMARY KEY (group_id, policy_arn)
);
CREATE INDEX group_attachment_of_policy ON group_attachment (policy_arn, group_id);

-- The number of the newest version there ever was: numbers are not given twice.
ALTER TABLE managed_policy ADD COLUMN last_version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE managed_policy ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE user_tag (
    user_id {text} NOT NULL REFERENCES iam_user (id) ON DELETE CASCADE,
    key {text} NOT NULL,
    value {text} NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE TABLE managed_policy_tag (
    policy_arn {text} NOT NULL REFERENCES managed_policy (arn) ON DELETE CASCADE,
    key {text} NOT NULL,
    value {text} NOT NULL,
    PRIMARY KEY (policy_arn, key)
);

CREATE TABLE oidc_provider_tag (
    provider_arn {text} NOT NULL REFERENCES oidc_provider (arn) ON DELETE CASCADE,
    key {text} NOT NULL,
    value {text} NOT NULL,
    PRIMARY KEY (provider_arn, key)
);

-- Fingerprints of the issuers' certificates, as clients give them.
CREATE TABLE oidc_thumbprint (
    provider_arn {text} NOT NULL REFERENCES oidc_provider (arn) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    thumbprint {text} NOT NULL,
    PRIMARY KEY (provider_arn, position)
);
