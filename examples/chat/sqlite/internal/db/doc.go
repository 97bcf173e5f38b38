// Package db has the queries of package sqlite, which sqlc has written from queries.sql.
package db
