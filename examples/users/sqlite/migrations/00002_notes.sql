ALTER TABLE users ADD COLUMN note TEXT; -- NULL for none
