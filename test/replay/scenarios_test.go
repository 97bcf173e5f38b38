package replay

import (
	"context"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// scenario is the Go form of what a recording's header gives as its api.
type scenario struct {
	server func(*recording) any // what the server exposes; nil exposes nothing
	client func(*recording) any // what the client exposes; nil exposes nothing
	plugin kkrpc.Interceptor    // of the server; nil: none
	// initiate is what the server does of its own accord, when the recording shows that it spoke first.
	initiate func(context.Context, *kkrpc.Channel)
}

// scenarios are all of them, by name.
var scenarios = map[string]scenario{
	"arg-injection-classic":         {server: argInjection},
	"arrays-holes":                  {server: echoing},
	"bidirectional":                 {server: bidirectionalServer, client: bidirectionalClient, initiate: askClientInfo},
	"bidirectional-get-set":         {server: pokingServer, client: pokedClient},
	"bigint":                        {server: returning(bigints)},
	"booleans-empties":              {server: echoing},
	"callback-after-cbr-raw":        {server: keepIgnored},
	"callback-counts":               {server: callbackCounts},
	"callback-dedup":                {server: callbackDedup},
	"callback-in-callback":          {server: callbackInCallback},
	"callback-in-callback-classic":  {server: callbackInCallbackClassic},
	"callback-lookalike-string":     {server: lookalikes},
	"callback-nested-in-object":     {server: callbackNested},
	"callback-release":              {server: callbackRelease},
	"callback-throws":               {server: callbackThrows},
	"callback-two-and-order":        {server: callbackTwo},
	"callback-unknown-id":           {server: ping},
	"callback-values":               {server: callbackValues},
	"class-instance":                {server: returning(instances)},
	"classic-022-get-set-construct": {server: properties},
	"classic-property-methods":      {server: properties},
	"close-by-client-destroy":       {server: slowAndPing},
	"close-pending-abnormal":        {server: slowAndPing},
	"close-pending-by-server":       {server: slowAndPing},
	"codec-crossing":                {server: echoing},
	"constructor-new":               {server: constructors},
	"cross":                         {server: crossed},
	"cycles":                        {server: cycles},
	"date":                          {server: returning(dates)},
	"deep-objects":                  {server: echoing},
	"destroy-signal":                {server: ping},
	"destroy-signal-to-client":      {server: slowOne},
	"error-as-value":                {server: returning(errorValues)},
	"errors":                        {server: failing},
	"flat-call":                     {server: flat},
	"framing-binary":                {server: greeting},
	"framing-joined":                {server: flat},
	"framing-no-newline":            {server: greeting},
	"framing-split":                 {server: greeting},
	"function-as-result":            {server: functionResults},
	"malformed-to-client":           {server: neverAnswering},
	"malformed-to-server":           {server: robust},
	"malformed-to-server-tolerant":  {server: robust},
	"map":                           {server: returning(mapValues)},
	"metadata":                      {server: metadata, plugin: showMetadata},
	"missing-method":                {server: missing},
	"nested-call":                   {server: nested},
	"no-api-exposed":                {},
	"node-buffer":                   {server: returning(buffers)},
	"numbers":                       {server: echoing},
	"numbers-raw-integers":          {server: echoing},
	"out-of-order":                  {server: slowEcho},
	"path-with-dot":                 {server: dotted},
	"per-call-timeout-abort":        {server: slowEcho},
	"property-get":                  {server: properties},
	"property-set":                  {server: assignable},
	"prototype-paths":               {server: prototypePaths},
	"referential-equality":          {server: sharing},
	"refs":                          {server: referring},
	"refs-callbacks-mixed":          {server: firing},
	"refs-from-client":              {server: referring},
	"refs-on-base-channel":          {server: typing},
	"refs-raw":                      {server: referring},
	"regexp-url":                    {server: returning(regexps)},
	"request-id-reuse":              {server: robust},
	"set":                           {server: returning(setValues)},
	"signal-destroy-api":            {server: ping},
	"stream-as-argument":            {server: streaming},
	"stream-as-argument-classic":    {server: streaming},
	"stream-break":                  {server: streaming},
	"stream-break-custom-iterator":  {server: streaming},
	"stream-cancel-raw-classic":     {server: streaming},
	"stream-close-mid":              {server: streaming},
	"stream-concurrent":             {server: streaming},
	"stream-consumer-throws":        {server: streaming},
	"stream-credit-window":          {server: streaming},
	"stream-destroy-mid":            {server: streaming},
	"stream-error":                  {server: streaming},
	"stream-iterator-manual":        {server: streaming},
	"stream-nested-and-sync":        {server: streaming},
	"stream-no-consume":             {server: streaming},
	"stream-normal":                 {server: streaming},
	"stream-on-base-channel":        {server: streaming},
	"stream-property-stream":        {server: ticking},
	"stream-raw-controls":           {server: streaming},
	"stream-raw-to-client":          {server: silent},
	"stream-slow-consumer":          {server: streaming},
	"stream-values":                 {server: streaming},
	"strings":                       {server: texts},
	"superjson-hostile-meta":        {server: echoing},
	"superjson-legacy-paths":        {server: echoing},
	"superjson-mixed":               {server: echoing},
	"symbol":                        {server: returning(symbols)},
	"timeout":                       {server: slowText},
	"typed-arrays":                  {server: returning(typedArrays)},
	"void-null-undefined":           {server: voids},
}

// echo keeps what it is given as it was written. Further arguments are ignored, as in JavaScript.
func echo(v superjson.Value, _ ...superjson.Value) superjson.Value { return v }

// see describes what its argument was decoded to.
func see(v any, _ ...superjson.Value) string { return describe(v).json() }

// typeOf is JavaScript's typeof, as far as the recordings ask.
func typeOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case *kkrpc.Callback, *kkrpc.Ref:
		return "function"
	case superjson.UndefinedType:
		return "undefined"
	}
	return "object"
}

func echoing(*recording) any { return kkrpc.Object{"echo": echo, "see": see} }

// texts describes strings from what is on the wire: a Go string cannot hold a lone surrogate.
func texts(*recording) any {
	return kkrpc.Object{"echo": echo, "see": func(v superjson.Value) (string, error) {
		n, err := parseJSON(string(v.JSON))
		return n.json(), err
	}}
}

func ping(*recording) any {
	return kkrpc.Object{"ping": func() string { return "pong" }}
}

func greeting(*recording) any {
	return kkrpc.Object{"greet": func(name string) string { return "Hello " + name }}
}

func typing(*recording) any { return kkrpc.Object{"type": typeOf} }

func flat(*recording) any {
	return kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"add":   func(a, b float64) float64 { return a + b },
		"count": func(args ...any) int { return len(args) },
	}
}

func nested(*recording) any {
	const base = 10.0
	return kkrpc.Object{"math": kkrpc.Object{
		"base":     base,
		"add":      func(a, b float64) float64 { return a + b },
		"plusBase": func(a float64) float64 { return base + a },
		"grade1":   kkrpc.Object{"multiply": func(a, b float64) float64 { return a * b }},
	}}
}
