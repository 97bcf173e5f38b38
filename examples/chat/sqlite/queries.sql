-- name: Epoch :one
SELECT epoch FROM lives;

-- name: SetEpoch :exec
INSERT INTO lives (epoch) VALUES (?);

-- name: Log :one
SELECT * FROM logs WHERE name = ?;

-- name: AddLog :one
INSERT INTO logs (name, last, gone, kept) VALUES (?, 0, 0, 0) RETURNING *;

-- name: SetLog :exec
UPDATE logs SET last = ?, gone = ?, kept = ? WHERE id = ?;

-- name: AddMessage :one
INSERT INTO messages (log, data) VALUES (?, ?) RETURNING seq;

-- name: NewestBut :one
SELECT seq FROM messages WHERE log = ? ORDER BY seq DESC LIMIT 1 OFFSET ?;

-- name: DeleteUpTo :execrows
DELETE FROM messages WHERE log = ? AND seq <= ?;

-- name: MessagesAfter :many
SELECT m.seq, m.data FROM messages m JOIN logs l ON l.id = m.log
WHERE l.name = ? AND m.seq > ? ORDER BY m.seq LIMIT ?;

-- name: MessagesBefore :many
SELECT m.seq, m.data FROM messages m JOIN logs l ON l.id = m.log
WHERE l.name = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?;

-- name: MessageOfID :one
SELECT seq FROM ids WHERE log = ? AND id = ?;

-- name: AddID :exec
INSERT INTO ids (log, id, seq, stored) VALUES (?, ?, ?, ?);

-- name: ForgetIDs :exec
DELETE FROM ids WHERE stored < ?;
