package durable

import (
	"context"
	"time"
)

// Options configures the object. Nil and the zero value mean the defaults.
type Options struct {
	// Hibernate lets the object sleep while its connections stay open. Cloudflare then takes the program out of memory. The
	// next message or alarm starts it anew, and calls that were kept by Keep run again. Without Hibernate the program stays
	// in memory as long as a connection is open.
	Hibernate bool

	// OnAlarm is called when the alarm of SetAlarm is due. retries counts the attempts before this one. After an
	// error or a panic Cloudflare calls it again. It may run while calls do.
	// Without OnAlarm an alarm is an error in the console.
	OnAlarm func(ctx context.Context, retries int) error

	// Awake is how long work that cannot be kept keeps the object awake after the last event. 0 means 30 s, negative not at
	// all. Such work are calls without an answer and open streams, in both directions.
	Awake time.Duration

	// MaxValue is the number of bytes that Get or List may return, with the keys of List; 0 means 1 MiB.
	MaxValue int
}

const (
	defaultAwake    = 30 * time.Second
	defaultMaxValue = 1 << 20
)

// Configure sets the options. It is called before wasm.Serve, at most once.
func Configure(opts *Options) {
	if here.configured {
		panic("durable: Configure was called before")
	}
	here.configured = true
	if opts == nil {
		return
	}
	here.opts = *opts
}

func (o *Options) awake() time.Duration {
	if o.Awake == 0 {
		return defaultAwake
	}
	return o.Awake
}

func (o *Options) maxValue() int {
	if o.MaxValue <= 0 {
		return defaultMaxValue
	}
	return o.MaxValue
}
