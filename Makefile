# Everything runs from here, over all modules of go.work. The machine needs Go and Node; the rest is fetched.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
JS := interop/js
WRANGLER := interop/wrangler
BENCH_JS := bench/js
CACHE := .cache
RESULTS := $(CACHE)/results
ROWS := $(CACHE)/matrix

# go test with a line for each package and, in RESULTS, the events that the closing line of `make test` is counted from.
GOTESTSUM := go run gotest.tools/gotestsum@v1.13.0 --format pkgname --format-hide-empty-pkg --no-color

# What `make check` and `make test` run, the quickest first. Both run a test once under the race detector; test also runs it
# once without, with JavaScript runtimes and coverage, in interop. test installs with js what lint-js takes.
CHECKS := lint lint-js test-go
STAGES := js $(CHECKS) functions cross modules interop bench-go bench-smoke attack-smoke instr fuzz mutate

FUZZTIME ?= 5s
MUTATE_N ?= 120
MUTATE_TIME ?= 4m
MUTATE_WS := ./transport/ws:read.go,deflate.go,control.go,upgrade.go,conn.go,dial.go:Conformance|Frames|Deflate|Dial|Ping|Pong|Close|Refus|Upgrade|HTTP|Shutdown|Write|Call|Limit|More|Ends|Open|Masks
COVER_MIN ?= 85
MUTATE_MIN ?= 70
MUTATE_WS_TIME ?= 2m
MUTATE_WS_MIN ?= 50
ADDR ?= localhost:3000
BENCH ?=

# The package whose tests take longest comes first: the others run beside it.
LONGEST := ./transport/ws

# Many tests wait most of the time. So the packages that are tested at a time are twice as many as processors.
PACKAGES = -p $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2))))

# The race detector needs a C compiler; without one the same tests run without it.
RACE = $(if $(and $(filter 1,$(shell go env CGO_ENABLED)),$(shell command -v "$$(go env CC)")),-race)

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: go ## start the demo server; ADDR=localhost:3000
	go run ./cmd/kkrpc demo --addr $(ADDR)

.PHONY: test
test: go node ## everything, on a fresh machine too
	@scripts/stages.sh $(RESULTS) $(STAGES)

.PHONY: check
check: go ## what a pull request has to pass: format, vet, staticcheck, lint-js, the Go tests with the race detector
	@scripts/stages.sh $(RESULTS) $(CHECKS)

.PHONY: test-go
test-go: go ## the Go tests that need nothing else, with the race detector
	@mkdir -p $(RESULTS)
	@$(if $(RACE),,echo "no C compiler: running without the race detector")
	@$(GOTESTSUM) --hide-summary skipped --jsonfile $(RESULTS)/test-go.json -- $(PACKAGES) $(RACE) -short $(LONGEST) work

.PHONY: functions
functions: go ## the tests of the core with the build tag kkrpc_functions
	@mkdir -p $(RESULTS)
	@$(GOTESTSUM) --hide-summary skipped --jsonfile $(RESULTS)/functions.json -- -tags kkrpc_functions -short ./internal/bind .

.PHONY: lint vet
vet: lint
lint: go ## gofmt, go vet, staticcheck; each module without the workspace; the licenses of dependencies
	@scripts/gofmt.sh
	@scripts/tidy.sh
	@go vet work
	@go run $(STATICCHECK) work
	@go run ./scripts/licenses

.PHONY: lint-js
lint-js: ## Biome on the JavaScript, and TypeScript on what npm has of it; left out before make js
	@scripts/lint-js.sh

# A 32-bit system, the other ways of operating systems, and a browser.
CROSS := linux/386 windows/amd64 darwin/arm64 js/wasm

.PHONY: cross
cross: go ## builds and vets the core for other systems
	@for target in $(CROSS); do \
		echo "build and vet for $$target"; \
		export CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/}; \
		go build ./...; go vet ./...; \
	done

.PHONY: modules
modules: go ## the quick tests of each module, without the workspace
	@mkdir -p $(RESULTS)
	@scripts/test-modules.sh $(RESULTS) $(GOTESTSUM) --hide-summary skipped

.PHONY: vulnerabilities
vulnerabilities: go ## govulncheck on each module; it downloads the database of vulnerabilities
	@for dir in $$(go list -m -f '{{.Dir}}'); do (cd "$$dir" && GOWORK=off go run $(GOVULNCHECK) -test ./...); done

VERSION ?= v0.1.0-rc

.PHONY: release-check
release-check: go js ## release VERSION=v0.1.0-rc in a temporary clone, and install it from there
	@KKRPC_REQUIRE_JS=1 go test -v -count=1 -timeout 20m ./scripts/release -version $(VERSION)

.PHONY: cover
cover: go ## the tests of the core and its line coverage, at least COVER_MIN=85 percent each
	@scripts/cover.sh $(CACHE)/cover $(COVER_MIN) $(RESULTS) $(GOTESTSUM)

.PHONY: interop
interop: go js chromium cover ## all Go tests, with real JavaScript runtimes on the other side, and the coverage of the core
	@mkdir -p $(RESULTS); rm -f $(ROWS)
	@KKRPC_REQUIRE_JS=1 KKRPC_MATRIX=$(abspath $(ROWS)) $(GOTESTSUM) --jsonfile $(RESULTS)/interop.json -- -count=1 -timeout 20m \
		$$(go list work | grep -vxF -f <(scripts/cover.sh --packages))
	@go run ./interop/matrix -check $(ROWS) docs/compatibility.md

.PHONY: ws-conformance
ws-conformance: go js ## the WebSocket cases against transport/ws and package ws of npm, counted by section
	@scripts/ws-conformance.sh

N ?= 1000000
SEED ?= 1

.PHONY: soak-values
soak-values: go js ## random JavaScript values through Go and back, compared by superjson; N=1000000 SEED=1
	@KKRPC_REQUIRE_JS=1 go test -v -count=1 -timeout 3h ./interop/values -values $(N) -seed $(SEED)

SOAK ?= 10m

.PHONY: soak
soak: go ## three processes with rooms, of which one is killed at random again and again; SOAK=10m
	@go test $(RACE) -v -count=1 -timeout 3h -run '^TestKilledNodes$$' ./adapter/kknats -chaos $(SOAK)

.PHONY: matrix
matrix: go js chromium ## run what the table of runtimes in docs/compatibility.md shows, and write it
	@mkdir -p $(CACHE); rm -f $(ROWS)
	@KKRPC_MATRIX=$(abspath $(ROWS)) go test -count=1 -run '(OfGoServer|OfHonoServer|OfGoInHono)$$' ./interop
	@go run ./interop/matrix $(ROWS) docs/compatibility.md

.PHONY: types
types: go ## write the TypeScript types that the demo and the examples import
	@go generate ./cmd/kkrpc
	@go test -count=1 -run TestGeneratedTypes ./examples -update

.PHONY: llms
llms: go ## write llms.txt and the page for coding assistants from the docs
	@go run ./scripts/llms

.PHONY: bench
bench: go bench-js ## this project beside its peers, fifteen minutes; BENCH="-scenarios add-64x16 -runs 5"
	@[[ "$(BENCH)" == *-peers* ]] || scripts/lint-peers.sh $(STATICCHECK)
	@go run ./bench $(BENCH)

MEASURED ?= docs/performance/results.json

.PHONY: bench-plots
bench-plots: go ## draw the pictures of docs/performance.md; MEASURED="FILE…" are others that make bench has written
	@go run ./bench -plot docs/performance $(MEASURED)

.PHONY: bench-against
bench-against: go ## the server of this tree and that of BASE=REVISION by turns, what a call costs each
	@$(if $(BASE),,echo "name the revision to compare with, as in make bench-against BASE=main"; exit 1)
	@go run ./bench -against $(BASE) -time 200ms -runs 25 $(BENCH)

.PHONY: bench-smoke
bench-smoke: go ## the harness of bench for a moment, so that it keeps working
	@go run ./bench -scenarios add-1x64,users,members-1000 -peers go,go-per-connection,raw-echo -time 200ms -runs 1 -out $(CACHE)/bench/smoke.json

.PHONY: bench-go
bench-go: go ## every Go benchmark once, so that they keep working
	@go test -short -run '^$$' -bench . -benchtime 1x work | { grep -v 'no test files' || true; }

.PHONY: instr instr-baseline
instr: go valgrind ## instructions of a request and a call, counted by valgrind: within 5 percent of the baseline
	@go run ./bench/instr
instr-baseline: go valgrind ## make what they take now the baseline
	@go run ./bench/instr -write

.PHONY: attack attack-smoke
attack: go ## attack a server in every known way, twice for a minute: its memory stays within the budget, honest clients get answers
	@go run ./test/attack
attack-smoke: go ## the same for some seconds, of which the start is a large part: honest clients may have to wait longer
	@go run ./test/attack -time 8s -slower 30

.PHONY: fuzz
fuzz: go ## every fuzz target for FUZZTIME=5s
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: corpora
corpora: go ## keep what fuzzing has found on this machine, in test/corpora.tgz
	@scripts/corpora.sh

.PHONY: mutate
mutate: go ## change the wire code, superjson and the WebSocket frames; the tests must notice MUTATE_MIN=70 percent, of the frames MUTATE_WS_MIN=50
	@go run ./test/mutate -min $(MUTATE_MIN) -n $(MUTATE_N) -time $(MUTATE_TIME) ./superjson ./internal/wire/...
	@go run ./test/mutate -min $(MUTATE_WS_MIN) -n $(MUTATE_N) -time $(MUTATE_WS_TIME) '$(MUTATE_WS)'

.PHONY: js bench-js
js: node $(JS)/node_modules/.stamp $(WRANGLER)/node_modules/.stamp ## install the npm packages and runtimes that tests use
bench-js: node $(BENCH_JS)/node_modules/.stamp ## install those that bench measures

%/node_modules/.stamp: %/package.json %/package-lock.json %/.npmrc
	@cd $* && npm ci --no-progress --loglevel=error
	@touch $@

.PHONY: go node chromium valgrind
go node chromium valgrind:
	@scripts/need.sh $@

.PHONY: clean
clean: ## remove what the targets above made
	rm -rf $(CACHE) bin $(JS)/node_modules $(WRANGLER)/node_modules $(BENCH_JS)/node_modules
