package budget_test

import (
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

const mib = 1 << 20

// server has the accounts of a budget, by name.
type server struct {
	budget.Budget
	mu      sync.Mutex
	evicted []string
}

type connection struct {
	budget.Account
	server *server
	name   string
}

func (c *connection) Evict(held, limit int64) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.evicted = append(c.server.evicted, c.name)
}

func newServer(limit int64) *server {
	s := &server{}
	s.Init(limit)
	return s
}

func (s *server) open(name string) *connection {
	c := &connection{server: s, name: name}
	c.Open(&s.Budget, c)
	return c
}

func (s *server) gone() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.evicted))
}

func TestWorstGoesFirst(t *testing.T) {
	tests := []struct {
		name string
		fill func(s *server)
		want []string
	}{
		{"the largest of one age", func(s *server) {
			small, large := s.open("small"), s.open("large")
			small.Add(4 * mib)
			large.Add(5 * mib)
			time.Sleep(time.Second)
			s.open("last").Add(2 * mib)
		}, []string{"large"}},
		{"the oldest of one size", func(s *server) {
			s.open("old").Add(4 * mib)
			time.Sleep(time.Second)
			s.open("young").Add(4 * mib)
			time.Sleep(time.Second)
			s.open("last").Add(4 * mib)
		}, []string{"old"}},
		{"a large one beside a small one that is very old", func(s *server) {
			s.open("old").Add(mib)
			time.Sleep(24 * time.Hour)
			s.open("large").Add(8 * mib)
			time.Sleep(time.Minute)
			s.open("last").Add(2 * mib)
		}, []string{"large"}},
		{"as many as it takes", func(s *server) {
			for _, name := range []string{"a", "b"} {
				s.open(name).Add(5 * mib)
			}
			time.Sleep(time.Minute)
			s.open("last").Add(9 * mib)
		}, []string{"a", "b"}},
		{"nobody at the limit", func(s *server) { s.open("a").Add(10 * mib) }, nil},
		{"one alone over the limit", func(s *server) { s.open("a").Add(11 * mib) }, []string{"a"}},
		{"nobody when one that held much holds little", func(s *server) {
			a := s.open("a")
			a.Add(9 * mib)
			a.Add(-9*mib + 1000)
			s.open("b").Add(9 * mib)
		}, nil},
		{"nobody when one that held much is closed", func(s *server) {
			a := s.open("a")
			a.Add(9 * mib)
			a.Close()
			a.Add(-9 * mib)
			s.open("b").Add(10 * mib)
		}, nil},
		{"one that holds what those leave that are closing", func(s *server) {
			a := s.open("a")
			a.Add(9 * mib)
			a.Close()
			s.open("b").Add(9 * mib)
		}, []string{"b"}},
		{"nobody for more than an eighth of the limit", func(s *server) {
			a := s.open("a")
			a.Add(9 * mib)
			a.Close()
			a.Add(9 * mib)
			s.open("b").Add(10*mib - 10*mib/8)
		}, nil},
		{"nobody for a sixteenth of the limit", func(s *server) {
			a := s.open("a")
			a.Add(10 * mib / 16)
			a.Close()
			s.open("b").Add(10 * mib)
		}, nil},
		{"nobody when what was evicted has gone", func(s *server) {
			a := s.open("a")
			a.Add(11 * mib)
			a.Add(-11 * mib)
			s.open("b").Add(10 * mib)
		}, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(10 * mib)
				test.fill(s)
				if got := s.gone(); !slices.Equal(got, test.want) {
					t.Errorf("evicted %q, want %q", got, test.want)
				}
				if u := s.Usage(); u.Used > u.Limit || u.Evicted != uint64(len(test.want)) {
					t.Errorf("%+v", u)
				}
			})
		})
	}
}

// A fresh flood does not push out connections that have held little for long.
func TestLittleIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(1 << 30)
		for range 100 {
			s.open("subscriber").Add(500 << 10)
		}
		time.Sleep(time.Hour)
		for range 17 {
			s.open("flood").Add(64 * mib)
		}
		if got := s.gone(); len(got) == 0 || slices.Contains(got, "subscriber") {
			t.Errorf("evicted %q", got)
		}
	})
}

// A connection that sends large messages one after another is not as old as its first message.
func TestAgeBeginsWithWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10 * mib)
		busy, slow := s.open("busy"), s.open("slow")
		for range 100 {
			busy.Add(4 * mib)
			time.Sleep(10 * time.Millisecond)
			busy.Add(-4 * mib)
		}
		slow.Add(3 * mib)
		time.Sleep(500 * time.Millisecond)
		busy.Add(4 * mib)
		s.open("last").Add(4 * mib)
		if got := s.gone(); !slices.Equal(got, []string{"slow"}) {
			t.Errorf("evicted %q", got)
		}
	})
}

func TestSmallHoldersAreNotCounted(t *testing.T) {
	s := newServer(1)
	a := s.open("a")
	var m budget.Meter
	for n := range 16 << 10 {
		m.Set(&a.Account, n)
	}
	m.Set(&a.Account, 0)
	if u := s.Usage(); u.Used != 0 || u.Evicted != 0 {
		t.Errorf("%+v", u)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := newServer(math.MaxInt64)
	var group sync.WaitGroup
	for range 8 {
		c := s.open("")
		for range 4 {
			group.Go(func() {
				var m budget.Meter
				for n := range 10_000 {
					m.Set(&c.Account, n*7919%mib)
				}
				m.Set(&c.Account, 0)
			})
		}
	}
	group.Wait()
	if u := s.Usage(); u.Used != 0 {
		t.Errorf("%d bytes are still counted", u.Used)
	}
}

func TestLimit(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	for option, want := range map[int64]int64{0: 1 << 30, -1: math.MaxInt64, 5: 5} {
		if got := budget.Limit(option); got != want {
			t.Errorf("Limit(%d) = %d, want %d", option, got, want)
		}
	}
	debug.SetMemoryLimit(400 << 30)
	if got := budget.Limit(0); got != 100<<30 {
		t.Errorf("a quarter of GOMEMLIMIT is %d", got)
	}
}

func TestNoBudget(t *testing.T) {
	var none *budget.Account
	none.Add(mib)
	new(budget.Account).Add(mib)
	new(budget.Account).Close()
}

func BenchmarkAddSmall(b *testing.B) {
	s := newServer(mib)
	b.RunParallel(func(pb *testing.PB) {
		a := s.open("")
		for pb.Next() {
			a.Add(100)
			a.Add(-100)
		}
	})
}
