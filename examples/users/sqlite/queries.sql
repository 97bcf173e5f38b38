-- name: ListUsers :many
SELECT * FROM users ORDER BY name COLLATE NOCASE, id;

-- name: GetUser :one
SELECT * FROM users WHERE id = ?;

-- name: CountUsers :one
SELECT count(*) FROM users;

-- name: CreateUser :exec
INSERT INTO users (id, name, email, role, note, version, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: UpdateUser :one
UPDATE users SET
	name = coalesce(sqlc.narg(name), name),
	email = coalesce(sqlc.narg(email), email),
	role = coalesce(sqlc.narg(role), role),
	note = CASE WHEN CAST(@change_note AS BOOLEAN) THEN sqlc.narg(note) ELSE note END,
	version = version + 1,
	updated_at = @updated_at
WHERE id = @id AND version = coalesce(sqlc.narg(version), version)
RETURNING *;

-- name: DeleteUser :execrows
DELETE FROM users WHERE id = ?;
