// Package layers holds the test that imports go in one direction only:
//
//	superjson ← internal/wire ← kkrpc ← transport/* ← cmd, examples
//
// Its table names every folder and what that may import. A new folder fails until it has a row.
package layers
