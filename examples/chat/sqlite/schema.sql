-- One row: the life of the database. Clients resume by positions of this life.
CREATE TABLE IF NOT EXISTS lives (
	epoch TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS logs (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	last INTEGER NOT NULL, -- number of the newest message
	gone INTEGER NOT NULL, -- number of the newest message that was deleted
	kept INTEGER NOT NULL  -- how many messages there are
) STRICT;

-- AUTOINCREMENT, so that a number is never used again.
CREATE TABLE IF NOT EXISTS messages (
	seq  INTEGER PRIMARY KEY AUTOINCREMENT,
	log  INTEGER NOT NULL REFERENCES logs (id),
	data BLOB NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS messages_of_log ON messages (log, seq);

-- What senders call messages, for a while.
CREATE TABLE IF NOT EXISTS ids (
	log    INTEGER NOT NULL REFERENCES logs (id),
	id     TEXT NOT NULL,
	seq    INTEGER NOT NULL,
	stored INTEGER NOT NULL, -- seconds since 1970
	PRIMARY KEY (log, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS ids_by_age ON ids (stored);
