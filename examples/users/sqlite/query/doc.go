// Package query has the functions that sqlc writes for queries.sql.
package query
