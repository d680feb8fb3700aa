-- Package groups: which packages may enter a domain's repositories, and how. Every domain has the group '/*'.

CREATE TABLE package_group (
    id {key},
    domain_id BIGINT NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    -- The nearest group that covers this one; 0 for the root.
    parent_id BIGINT NOT NULL,
    pattern {text} NOT NULL,
    -- What patterns have in common that are variants of each other.
    folded {text} NOT NULL,
    contact_info {text},
    description {text},
    created_at BIGINT NOT NULL,
    publish {text} NOT NULL,
    external_upstream {text} NOT NULL,
    internal_upstream {text} NOT NULL,
    UNIQUE (domain_id, pattern)
);
CREATE INDEX package_group_by_folded ON package_group (domain_id, folded);
CREATE INDEX package_group_by_parent ON package_group (parent_id, pattern);

INSERT INTO package_group
       (domain_id, parent_id, pattern, folded, created_at, publish, external_upstream, internal_upstream)
SELECT id, 0, '/*', '/*', created_at, 'ALLOW', 'ALLOW', 'ALLOW' FROM domain;

-- The repositories that a way in is open for, if its mode asks. A repository's name never changes.
CREATE TABLE package_group_repository (
    group_id BIGINT NOT NULL REFERENCES package_group (id) ON DELETE CASCADE,
    restriction {text} NOT NULL,
    repository_name {text} NOT NULL,
    repository_id BIGINT NOT NULL,
    PRIMARY KEY (group_id, restriction, repository_name)
){clustered};
CREATE INDEX package_group_repository_by_repository ON package_group_repository (repository_id);

CREATE TABLE package_group_tag (
    group_id BIGINT NOT NULL REFERENCES package_group (id) ON DELETE CASCADE,
    key {text} NOT NULL,
    value {text} NOT NULL,
    PRIMARY KEY (group_id, key)
){clustered};

-- Every package of a domain under what it has in common with its variants: where a group's packages are found.
CREATE TABLE package_variation (
    package_id {row} NOT NULL PRIMARY KEY REFERENCES package (id) ON DELETE CASCADE,
    domain_id BIGINT NOT NULL,
    folded {text} NOT NULL,
    namespace {text} NOT NULL,
    name {text} NOT NULL
);
CREATE INDEX package_variation_by_folded ON package_variation (domain_id, folded, namespace, name);

-- By which rules variants were folded, and the package to fold next; 0 once all are.
CREATE TABLE folding (
    id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    next_package BIGINT NOT NULL
);
INSERT INTO folding (id, version, next_package) VALUES (1, 1, 1);
