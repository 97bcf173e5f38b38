// Package replay holds no code, only tests: every recorded conversation of testdata/vectors is held again with this
// module on one side, once as the server and once as the client, and what it writes is compared with what the
// original wrote. The file testdata/vectors/manifest says what of each recording is replayed, and why the rest is not.
package replay
