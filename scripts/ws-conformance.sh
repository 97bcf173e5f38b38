#!/usr/bin/env bash
# Runs the cases of internal/wstest, and prints for each endpoint how many of a section passed.
set -euo pipefail

out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
KKRPC_REQUIRE_JS=1 go test -count=1 -v -run 'Conformance$' ./transport/ws ./interop >"$out" || status=$?
# A case is a test with a name like TestServerConformance/by_octet/5_fragmentation/5.19 (0.00s).
awk '
	/^ *--- (PASS|FAIL): / {
		n = split($3, part, "/")
		if (n < 3 || part[n] !~ /^[0-9]+\.[0-9.]+$/) next
		endpoint = part[1] (n > 3 ? ", " part[2] : "")
		gsub("_", " ", endpoint)
		sub("^Test", "", endpoint)
		sub("Conformance", "", endpoint)
		section = part[n-1]
		gsub("_", " ", section)
		if (!(endpoint in count)) endpoints[++e] = endpoint
		if (!((endpoint, section) in total)) sections[endpoint] = sections[endpoint] (count[endpoint]++ ? "\t" : "") section
		total[endpoint, section]++
		passed[endpoint, section] += $2 == "PASS:"
	}
	END {
		for (i = 1; i <= e; i++) {
			all = good = 0
			n = split(sections[endpoints[i]], names, "\t")
			print endpoints[i]
			for (j = 1; j <= n; j++) {
				all += total[endpoints[i], names[j]]
				good += passed[endpoints[i], names[j]]
				printf "  %-28s %3d of %3d\n", names[j], passed[endpoints[i], names[j]], total[endpoints[i], names[j]]
			}
			printf "  %-28s %3d of %3d\n", "together", good, all
		}
	}' "$out"
if ((status)); then
	grep -E '^ +[a-z]+\.go:[0-9]+: |^(FAIL|panic)' "$out" >&2
fi
exit "$status"
