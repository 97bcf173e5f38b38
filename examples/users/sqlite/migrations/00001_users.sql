CREATE TABLE users (
	id         TEXT    NOT NULL PRIMARY KEY,
	name       TEXT    NOT NULL,
	email      TEXT    NOT NULL UNIQUE, -- in lower case
	role       TEXT    NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
	version    INTEGER NOT NULL,
	updated_at INTEGER NOT NULL -- milliseconds since 1970
) STRICT;

CREATE INDEX users_by_name ON users (name COLLATE NOCASE, id);
