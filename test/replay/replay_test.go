// Package replay has no code but tests. Every recorded conversation of testdata/vectors is held again with this
// module on one side, once as the server and once as the client, and what it writes is compared with what the
// original wrote. The file testdata/vectors/manifest says what of each recording is replayed, and why the rest is not.
package replay

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
)

var dump = flag.String("mismatches", "", "write what does not match to this file, one line a frame, instead of comparing with the manifest")

func TestReplay(t *testing.T) {
	entries := map[string]entry{}
	if *dump == "" {
		for _, e := range loadManifest(t) {
			entries[e.name] = e
		}
	}
	var dumped []byte
	for _, r := range loadRecordings(t) {
		e := entries[r.name]
		for _, side := range []string{"server", "client"} {
			v := e.server
			if side == "client" {
				v = e.client
			}
			t.Run(r.name+"/"+side, func(t *testing.T) {
				bad := replay(t, r, side)
				if *dump != "" {
					for _, number := range slices.Sorted(maps.Keys(bad)) {
						dumped = fmt.Appendf(dumped, "%s\t%s\t%d\t%q\n", r.name, side, number, fmt.Sprint(bad[number]))
					}
					return
				}
				check(t, r, side, v, bad)
			})
		}
	}
	if *dump != "" {
		if err := os.WriteFile(*dump, dumped, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func replay(t *testing.T, r *recording, side string) mismatches {
	if side == "server" {
		return replayServer(t, r)
	}
	return replayClient(t, r)
}

// check compares what does not match with what the manifest says does not. An exclusion that is not needed is an error
// too, so that none outlives its reason.
func check(t *testing.T, r *recording, side string, v verdict, bad mismatches) {
	if v.reason == "injected" {
		for _, f := range r.frames {
			if side != "client" || f.toServer && !f.injected {
				t.Fatalf("frame %d was written by a client: there is something to repeat", f.number)
			}
		}
		return
	}
	if v.reason != "" {
		if len(bad) == 0 {
			t.Errorf("left to the codec (%s), but the replay passes", v.reason)
		}
		return
	}
	for _, number := range slices.Sorted(maps.Keys(bad)) {
		if v.except[number] == "" {
			t.Errorf("frame %d: %v", number, bad[number])
		}
	}
	for _, number := range slices.Sorted(maps.Keys(v.except)) {
		if bad[number] == nil {
			t.Errorf("frame %d is excluded (%s), but comes out as recorded", number, v.except[number])
		}
	}
}
