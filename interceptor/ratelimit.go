package interceptor

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"
	"weak"

	"golang.org/x/time/rate"

	"github.com/kkrpc-go/kkrpc"
)

// RateLimit allows each channel perSecond calls a second, and burst calls at once after a quiet time. A call over the
// limit does not run. It fails with an Error named RPCRateLimitError. Its field retryAfter is the time in milliseconds
// until the next call may succeed. Each operation that interceptors see counts as one call. RateLimit panics unless
// perSecond is above zero and burst at least 1.
//
// A peer with more channels gets more calls, so bound the connections too. Requests that come by themselves, as over
// HTTP, belong to no channel and are not limited.
func RateLimit(perSecond float64, burst int) kkrpc.Interceptor {
	if !(perSecond > 0) || burst < 1 {
		panic(fmt.Sprintf("interceptor: RateLimit(%v, %d): want more than 0 calls a second and a burst of at least 1", perSecond, burst))
	}
	b := buckets{limit: rate.Limit(perSecond), burst: burst}
	return func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		if r.Channel == nil {
			return next(ctx, r)
		}
		bucket, now := b.of(r.Channel), time.Now()
		if bucket.AllowN(now, 1) {
			return next(ctx, r)
		}
		wait := time.Duration((1 - bucket.TokensAt(now)) / perSecond * float64(time.Second))
		retryAfter := int64(math.Ceil(float64(max(wait, 1)) / float64(time.Millisecond)))
		return nil, &kkrpc.Error{
			Name:    "RPCRateLimitError",
			Message: fmt.Sprintf("more than %v calls a second on this connection; try again in %d ms", perSecond, retryAfter),
			Fields:  map[string]any{"retryAfter": retryAfter},
		}
	}
}

// buckets has one bucket for each channel while the channel exists.
type buckets struct {
	limit     rate.Limit
	burst     int
	byChannel sync.Map // weak.Pointer[kkrpc.Channel] → *rate.Limiter
}

func (b *buckets) of(ch *kkrpc.Channel) *rate.Limiter {
	key := weak.Make(ch)
	if known, ok := b.byChannel.Load(key); ok {
		return known.(*rate.Limiter)
	}
	bucket, known := b.byChannel.LoadOrStore(key, rate.NewLimiter(b.limit, b.burst))
	if !known {
		runtime.AddCleanup(ch, func(key weak.Pointer[kkrpc.Channel]) { b.byChannel.Delete(key) }, key)
	}
	return bucket.(*rate.Limiter)
}
