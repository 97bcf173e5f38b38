// Command attack attacks a server of transport/ws on loopback in every known way at once, while honest clients call it.
// It fails if the server holds more memory than its budget and a fifth, or if honest clients have to wait.
//
// The server, the attackers and the honest clients are a process each. A quiet run of the honest clients comes first. The claim
// is about the server, not about how an operating system shares a processor. So the attackers compute little: they make their
// messages once, each sends at most 1 MiB/s, and their process has a lower priority where the system has nice. A second server
// has honest clients and no attackers. It tells how long calls take on the machine at the time of the attack.
//
// The live heap is measured in a second attack of the same length. Its server collects twice a second and stands still meanwhile.
// A collector that lets it go on, as in the first attack, counts as live what becomes garbage while it marks.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	if served() {
		return
	}
	var p plan
	flag.Int64Var(&p.memory, "memory", 256<<20, "budget of the server in bytes")
	flag.DurationVar(&p.length, "time", time.Minute, "length of the attack")
	flag.StringVar(&p.only, "only", "", "run the attacks whose names contain this")
	flag.StringVar(&p.profile, "profile", "", "file for the heap profile of the server when most was live")
	slower := flag.Float64("slower", 3, "how many times longer honest clients may wait than without the attack; 0: any time")
	flag.Parse()
	r, err := p.run()
	if err == nil {
		fmt.Println(r)
		err = r.check(*slower)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// result is what a run has shown.
type result struct {
	plan
	quiet, attacked latencies // of the honest clients of the attacked server, without and with the attack
	spared          latencies // of the other server's, at the time of the attack
	most            held      // at the time of these calls
	exact           held      // in the second attack
	attacks         []done
}

func (r result) String() string {
	const mib = 1 << 20
	s := fmt.Sprintf("budget %d MiB, counted %d MiB at most, %d connections evicted; live heap %d MiB at most\n"+
		"with a concurrent collector: live heap %d MiB at most, %d MiB between collections\n"+
		"honest calls: %d, p50 %v, p99 %v; under attack %d, p50 %v, p99 %v, %d failed; beside it p50 %v, p99 %v\n",
		r.memory/mib, r.most.Used/mib, r.most.Evicted, r.exact.Live/mib, r.most.Live/mib, r.most.Heap/mib,
		r.quiet.Calls, r.quiet.P50, r.quiet.P99, r.attacked.Calls, r.attacked.P50, r.attacked.P99, r.attacked.Failed, r.spared.P50, r.spared.P99)
	for _, a := range r.attacks {
		s += fmt.Sprintf("%6d connections, %5d MiB: %s\n", a.Conns, a.Sent/mib, a.Name)
	}
	return s
}

// check reports what must not be.
func (r result) check(slower float64) error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if limit := r.memory + r.memory/5; r.exact.Live > limit {
		fault("the live heap of %d bytes is over the budget and a fifth, %d", r.exact.Live, limit)
	}
	if failed := r.quiet.Failed + r.attacked.Failed; failed > 0 || r.quiet.Calls == 0 || r.attacked.Calls == 0 {
		fault("%d honest calls have failed: %s%s", failed, r.quiet.Error, r.attacked.Error)
	}
	if limit := time.Duration(slower * float64(max(r.quiet.P99, r.spared.P99))); slower > 0 && r.attacked.P99 > limit {
		fault("p99 of honest calls is %v, more than %v", r.attacked.P99, limit)
	}
	for _, a := range r.attacks {
		if a.Conns == 0 || a.Sent == 0 {
			fault("no attack: %s has opened %d connections and sent %d bytes", a.Name, a.Conns, a.Sent)
		}
	}
	for _, h := range []held{r.most, r.exact} {
		if r.only == "" && h.Used < r.memory/2 {
			fault("no attack: the budget has never counted half of %d bytes, at most %d", r.memory, h.Used)
		}
		if r.only == "" && h.Evicted == 0 {
			fault("no attack: no connection was evicted")
		}
	}
	return errors.Join(errs...)
}
