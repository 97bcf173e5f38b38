#!/usr/bin/env bash
# Runs the tests of the core, prints its coverage by group and fails if one is under the minimum.
# usage: cover.sh FOLDER MINIMUM RESULTS GOTESTSUM…
# A group counts what its own tests reach. The root counts bind and outbox as its parts, and the tests that exist to drive it.
# Those of transport/ws are among them, so that both are counted in one run.
# With --packages it prints the packages that it tests.
set -euo pipefail

groups=(
	"root=.,./internal/bind,./internal/outbox transport/ws=./transport/ws|. ./internal/bind ./internal/outbox ./test/replay ./transport/transporttest ./transport/ws"
	"internal/wire=./internal/wire/...|./internal/wire/..."
	"superjson=./superjson|./superjson"
)

if [[ $1 == --packages ]]; then
	for group in "${groups[@]}"; do
		go list ${group##*|}
	done
	exit
fi

out=$1 minimum=$2 results=$3
shift 3
mkdir -p "$out" "$results"
low=0
table=""
for group in "${groups[@]}"; do
	IFS='|' read -r parts tests <<<"$group"
	covered=$(sed -E 's/[^ =]+=//g; s/ /,/g' <<<"$parts")
	file=$(tr -c 'a-z\n' '-' <<<"${parts%%=*}")
	"$@" --jsonfile "$results/cover-$file.json" -- -count=1 -coverpkg="$covered" -coverprofile="$out/$file.out" $tests
	for part in $parts; do
		name=${part%%=*}
		{ echo '^mode:'; go list $(tr ',' ' ' <<<"${part#*=}") | sed 's|.*|^&/[^/]*:|'; } | grep -f - "$out/$file.out" >"$out/part.out"
		percent=$(go tool cover -func="$out/part.out" | awk '/^total:/ { sub("%", "", $NF); print $NF }')
		mark=""
		if awk -v p="$percent" -v m="$minimum" 'BEGIN { exit !(p < m) }'; then
			low=1
			mark="  under $minimum %"
		fi
		table+=$(printf '%-16s %6s %%%s' "$name" "$percent" "$mark")$'\n'
	done
done
printf '%s' "$table"
exit $low
