-- The spelling that all texts of one version share, where a format has several: a gem's '1.0' and '1.0.0' are '1'. NULL
-- where the text is the only one. '?' stands in rows older than this file until the package is published to again.
ALTER TABLE package_version ADD COLUMN canonical {text};
UPDATE package_version SET canonical = '?' WHERE package_id IN (SELECT id FROM package WHERE format = 'ruby');
-- Not unique: a retained version and a published one may be the same.
CREATE INDEX package_version_canonical ON package_version (package_id, canonical) WHERE canonical IS NOT NULL;
