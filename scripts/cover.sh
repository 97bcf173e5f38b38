#!/usr/bin/env bash
# Prints the coverage of the core by group and fails if one is under the minimum. usage: cover.sh FOLDER MINIMUM
# A group counts what its own tests reach; for the root also those of the packages that exist to drive it.
set -euo pipefail

out=$1 minimum=$2
mkdir -p "$out"
low=0
table=""

# group NAME COVERED-PATTERN TEST-PATTERN…
group() {
	local name=$1 covered=$2 profile
	shift 2
	profile=$out/$(tr -c 'a-z\n' '-' <<<"$name").out
	if ! go test -short -coverpkg="$covered" -coverprofile="$profile" "$@" >"$profile.log" 2>&1; then
		cat "$profile.log"
		exit 1
	fi
	local percent mark=""
	percent=$(go tool cover -func="$profile" | awk '/^total:/ { sub("%", "", $NF); print $NF }')
	if awk -v p="$percent" -v m="$minimum" 'BEGIN { exit !(p < m) }'; then
		low=1
		mark="  under $minimum %"
	fi
	table+=$(printf '%-16s %6s %%%s' "$name" "$percent" "$mark")$'\n'
}

drivers=()
for dir in test/replay transport/transporttest transport/ws; do
	[[ -n $(compgen -G "$dir/*_test.go") ]] && drivers+=("./$dir")
done
group root . . "${drivers[@]}"
group internal/wire ./internal/wire/... ./internal/wire/...
group superjson ./superjson ./superjson
printf '%s' "$table"
exit $low
