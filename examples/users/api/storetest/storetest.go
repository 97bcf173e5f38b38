// Package storetest has the tests that each api.Store must pass.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/examples/users/api"
)

// most is a number of users that no test but that of the bound reaches.
const most = 1000

var (
	first = time.Date(2026, 11, 29, 8, 0, 0, 123e6, time.UTC)
	later = first.Add(time.Hour)
)

// Test runs the tests. open returns an empty Store, which it closes when the test ends.
func Test(t *testing.T, open func(t *testing.T) api.Store) {
	for name, test := range map[string]func(t *testing.T, store api.Store){
		"create":   testCreate,
		"order":    testOrder,
		"changes":  testChanges,
		"versions": testVersions,
		"race":     testRace,
		"emails":   testEmails,
		"bound":    testBound,
		"delete":   testDelete,
		"context":  testContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func user(id, name string) api.User {
	return api.User{ID: id, Name: name, Email: id + "@example.com", Role: api.Viewer, Version: 1, UpdatedAt: first}
}

func create(t *testing.T, store api.Store, users ...api.User) {
	t.Helper()
	for _, u := range users {
		if err := store.Create(t.Context(), u, most); err != nil {
			t.Fatal(err)
		}
	}
}

// has says what the store has.
func has(t *testing.T, store api.Store, want ...api.User) {
	t.Helper()
	got, err := store.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Transformer("none", func(users []api.User) []api.User {
		if len(users) == 0 {
			return nil
		}
		return users
	})); diff != "" {
		t.Errorf("the store has other users (-want +got):\n%s", diff)
	}
}

func testCreate(t *testing.T, store api.Store) {
	has(t, store)
	ada := user("a", "Ada")
	ada.Role, ada.Note = api.Admin, new("first")
	create(t, store, ada)
	has(t, store, ada)
}

func testOrder(t *testing.T, store api.Store) {
	create(t, store, user("c", "bob"), user("b", "Ada"), user("d", "Émile"), user("e", "Bob"), user("a", "ada"))
	has(t, store, user("a", "ada"), user("b", "Ada"), user("c", "bob"), user("e", "Bob"), user("d", "Émile"))
}

func testChanges(t *testing.T, store api.Store) {
	ada := user("a", "Ada")
	create(t, store, ada, user("b", "Bob"))
	for _, step := range []struct {
		name    string
		changes api.Changes
		want    func(u *api.User)
	}{
		{"a name", api.Changes{Name: new("Ada L.")}, func(u *api.User) { u.Name = "Ada L." }},
		{"an email", api.Changes{Email: new("ada@example.org")}, func(u *api.User) { u.Email = "ada@example.org" }},
		{"the same email", api.Changes{Email: new("ada@example.org")}, func(*api.User) {}},
		{"a role", api.Changes{Role: new(api.Admin)}, func(u *api.User) { u.Role = api.Admin }},
		{"a note", api.Changes{Note: api.NoteChange{Present: true, Note: new("first")}}, func(u *api.User) { u.Note = new("first") }},
		{"nothing", api.Changes{}, func(*api.User) {}},
		{"no note", api.Changes{Note: api.NoteChange{Present: true}}, func(u *api.User) { u.Note = nil }},
	} {
		step.want(&ada)
		ada.Version++
		ada.UpdatedAt = later
		got, err := store.Update(t.Context(), "a", step.changes, later)
		if diff := cmp.Diff(ada, got); err != nil || diff != "" {
			t.Fatalf("%s: %v (-want +got):\n%s", step.name, err, diff)
		}
	}
	has(t, store, ada, user("b", "Bob"))
}

func testVersions(t *testing.T, store api.Store) {
	create(t, store, user("a", "Ada"))
	changes := func(version int64) api.Changes { return api.Changes{Name: new("Eve"), Version: &version} }
	for _, stale := range []int64{0, 2} {
		_, err := store.Update(t.Context(), "a", changes(stale), later)
		conflict, ok := errors.AsType[*api.ConflictError](err)
		if !ok || !cmp.Equal(conflict.Current, user("a", "Ada")) {
			t.Errorf("version %d: %v, want a conflict with version 1", stale, err)
		}
	}
	if u, err := store.Update(t.Context(), "a", changes(1), later); err != nil || u.Version != 2 {
		t.Errorf("version 1: %+v, %v", u, err)
	}
	var missing *api.NotFoundError
	if _, err := store.Update(t.Context(), "b", changes(1), later); !errors.As(err, &missing) || missing.ID != "b" {
		t.Errorf("a user who is not there: %v", err)
	}
}

// Of several changes to one version, one succeeds.
func testRace(t *testing.T, store api.Store) {
	create(t, store, user("a", "Ada"))
	var (
		racing sync.WaitGroup
		mu     sync.Mutex
		won    []string
	)
	for i := range 8 {
		racing.Go(func() {
			name := fmt.Sprint("Ada ", i)
			_, err := store.Update(t.Context(), "a", api.Changes{Name: &name, Version: new(int64(1))}, later)
			if _, ok := errors.AsType[*api.ConflictError](err); err != nil && !ok {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, name)
			}
		})
	}
	racing.Wait()
	if len(won) != 1 {
		t.Fatalf("%d changes of version 1 succeeded, want 1", len(won))
	}
	ada := user("a", won[0])
	ada.Version, ada.UpdatedAt = 2, later
	has(t, store, ada)
}

func testEmails(t *testing.T, store api.Store) {
	create(t, store, user("a", "Ada"), user("b", "Bob"))
	taken := func(what string, err error) {
		t.Helper()
		if e, ok := errors.AsType[*api.EmailTakenError](err); !ok || e.Email != "a@example.com" {
			t.Errorf("%s: %v, want an EmailTakenError", what, err)
		}
	}
	eve := user("e", "Eve")
	eve.Email = "a@example.com"
	taken("another user", store.Create(t.Context(), eve, most))
	_, err := store.Update(t.Context(), "b", api.Changes{Email: new("a@example.com"), Name: new("Eve")}, later)
	taken("a change", err)
	has(t, store, user("a", "Ada"), user("b", "Bob"))
}

func testBound(t *testing.T, store api.Store) {
	for i, id := range []string{"a", "b", "c"} {
		err := store.Create(t.Context(), user(id, id), 2)
		if full, ok := errors.AsType[*api.FullError](err); ok != (i == 2) || ok && full.Max != 2 || !ok && err != nil {
			t.Errorf("user %d of 2: %v", i+1, err)
		}
	}
	has(t, store, user("a", "a"), user("b", "b"))
}

func testDelete(t *testing.T, store api.Store) {
	create(t, store, user("a", "Ada"), user("b", "Bob"))
	if err := store.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	has(t, store, user("b", "Bob"))
	var missing *api.NotFoundError
	if err := store.Delete(t.Context(), "a"); !errors.As(err, &missing) || missing.ID != "a" {
		t.Errorf("a user who is not there: %v", err)
	}
	again := user("c", "Carol")
	again.Email = user("a", "").Email
	create(t, store, again) // the email is free
}

func testContext(t *testing.T, store api.Store) {
	create(t, store, user("a", "Ada"))
	ended, end := context.WithCancel(t.Context())
	end()
	_, list := store.Users(ended)
	_, update := store.Update(ended, "a", api.Changes{Name: new("Eve")}, later)
	for what, err := range map[string]error{
		"Users": list, "Create": store.Create(ended, user("b", "Bob"), most), "Update": update, "Delete": store.Delete(ended, "a"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s after the end of its context: %v", what, err)
		}
	}
	has(t, store, user("a", "Ada"))
}
