-- Where users stand in an organisation, as groups and roles do: begins and ends with '/'.
ALTER TABLE iam_user ADD COLUMN path {text} NOT NULL DEFAULT '/';
