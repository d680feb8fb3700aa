-- {key}: an identity that is never given twice. {row}: another table's identity, where it is this one's, too. {blob}:
-- bytes. {text}: text ordered bytewise. {clustered}: rows are kept in the order of the primary key, where that saves
-- an index beside the table.
-- Instants are milliseconds since 1970, booleans 0 or 1. A namespace that is not there is ''.

-- One row. Its lock is what changes of the control plane take first, so they happen one after the other.
CREATE TABLE control (
    id BIGINT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL
);
INSERT INTO control (id, generation) VALUES (1, 1);

-- accounts and identities

CREATE TABLE account (
    id {text} NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE iam_user (
    id {text} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL REFERENCES account (id),
    name {text} NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

CREATE TABLE access_key (
    id {text} NOT NULL PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES iam_user (id) ON DELETE CASCADE,
    secret {text} NOT NULL,
    status {text} NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX access_key_of_user ON access_key (user_id, id);

CREATE TABLE user_policy (
    user_id {text} NOT NULL REFERENCES iam_user (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (user_id, name)
);

-- domains and repositories

CREATE TABLE domain (
    id {key},
    owner {text} NOT NULL,
    name {text} NOT NULL,
    encryption_key {text} NOT NULL,
    created_at BIGINT NOT NULL,
    policy {text},
    policy_revision {text},
    repository_count BIGINT NOT NULL,
    UNIQUE (owner, name)
);

CREATE TABLE repository (
    id {key},
    domain_id BIGINT NOT NULL REFERENCES domain (id),
    name {text} NOT NULL,
    administrator {text} NOT NULL,
    description {text},
    created_at BIGINT NOT NULL,
    external_connection {text},
    policy {text},
    policy_revision {text},
    -- 0, or the row's own id once it is deleted: its name is free, what it held is removed bit by bit.
    gone BIGINT NOT NULL,
    UNIQUE (domain_id, name, gone)
);
CREATE INDEX repository_gone ON repository (gone) WHERE gone > 0;
CREATE INDEX repository_by_name ON repository (name, domain_id);
CREATE INDEX repository_by_administrator ON repository (administrator, name, domain_id);

-- Links hold the identity. The upstream may be gone: the link dangles and keeps its name.
CREATE TABLE upstream (
    repository_id BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    upstream_id BIGINT NOT NULL,
    upstream_name {text} NOT NULL,
    PRIMARY KEY (repository_id, position)
);

-- Tags of a domain (repository_id 0) or of one of its repositories.
CREATE TABLE resource_tag (
    domain_id BIGINT NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    repository_id BIGINT NOT NULL,
    key {text} NOT NULL,
    value {text} NOT NULL,
    PRIMARY KEY (domain_id, repository_id, key)
);

CREATE TABLE token (
    id {text} NOT NULL PRIMARY KEY,
    sha256 {blob} NOT NULL UNIQUE,
    user_id {text} NOT NULL REFERENCES iam_user (id) ON DELETE CASCADE,
    access_key_id {text} NOT NULL REFERENCES access_key (id) ON DELETE CASCADE,
    domain_id BIGINT NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    read_only BIGINT NOT NULL,
    label {text} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX token_of_user ON token (user_id, created_at, id);
CREATE INDEX token_expiry ON token (user_id, expires_at);
CREATE INDEX token_of_access_key ON token (access_key_id);
CREATE INDEX token_of_domain ON token (domain_id);

-- packages and versions

CREATE TABLE package (
    id {key},
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    format {text} NOT NULL,
    namespace {text} NOT NULL,
    name {text} NOT NULL,
    display_name {text} NOT NULL,
    allow_publish {text} NOT NULL,
    allow_upstream {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE (repository_id, format, namespace, name)
);
CREATE INDEX package_by_name ON package (repository_id, name, format, namespace);
-- Names that differ in case and punctuation only.
CREATE INDEX package_by_folded_name ON package
    (repository_id, format, namespace, (replace(replace(replace(lower(name), '-', ''), '_', ''), '.', '')));

CREATE TABLE dist_tag (
    package_id BIGINT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    tag {text} NOT NULL,
    version {text} NOT NULL,
    PRIMARY KEY (package_id, tag)
){clustered};

CREATE TABLE package_version (
    id {key},
    package_id BIGINT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    version {text} NOT NULL,
    status {text} NOT NULL,
    revision {text} NOT NULL,
    origin_type {text} NOT NULL,
    entry_point {text} NOT NULL,
    source_published_at BIGINT,
    first_seen_at BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    metadata {blob} NOT NULL,
    UNIQUE (package_id, version)
);
CREATE INDEX package_version_by_time ON package_version (package_id, published_at, id);

CREATE TABLE version_details (
    version_id {row} NOT NULL PRIMARY KEY REFERENCES package_version (id) ON DELETE CASCADE,
    details {text} NOT NULL
);

CREATE TABLE asset (
    version_id BIGINT NOT NULL REFERENCES package_version (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    kind {text} NOT NULL,
    size_bytes BIGINT NOT NULL,
    md5 {blob} NOT NULL,
    sha1 {blob} NOT NULL,
    sha256 {blob} NOT NULL,
    sha512 {blob} NOT NULL,
    metadata {blob} NOT NULL,
    PRIMARY KEY (version_id, name)
){clustered};

-- Which blobs the assets of a domain refer to, and how many assets each. Rows without references are removed by the
-- transaction that took the last one, and found by the index meanwhile.
CREATE TABLE blob (
    domain_id BIGINT NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    sha256 {blob} NOT NULL,
    size_bytes BIGINT NOT NULL,
    usage_shard BIGINT NOT NULL,
    asset_count BIGINT NOT NULL,
    PRIMARY KEY (domain_id, sha256)
){clustered};
CREATE INDEX blob_unreferenced ON blob (domain_id) WHERE asset_count = 0;

-- The sizes of a domain's blobs, summed in shards so that publishers do not all wait for one row.
CREATE TABLE domain_usage (
    domain_id BIGINT NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    shard BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (domain_id, shard)
){clustered};

-- Index documents of public registries; bodies apart, because confirming a document does not change its body.
CREATE TABLE upstream_index (
    id {key},
    repository_id BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    connection {text} NOT NULL,
    format {text} NOT NULL,
    namespace {text} NOT NULL,
    name {text} NOT NULL,
    body_sha256 {blob},
    content_type {text} NOT NULL,
    etag {text},
    last_modified {text},
    checked_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE (repository_id, connection, format, namespace, name)
);

CREATE TABLE upstream_index_body (
    index_id {row} NOT NULL PRIMARY KEY REFERENCES upstream_index (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    body {blob} NOT NULL
);

CREATE TABLE journal (
    sequence {key},
    recorded_at BIGINT NOT NULL,
    principal {text} NOT NULL,
    address {text},
    operation {text} NOT NULL,
    resource {text} NOT NULL,
    state_before {text},
    state_after {text},
    request_id {text} NOT NULL
);
