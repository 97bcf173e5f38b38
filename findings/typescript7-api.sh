#!/usr/bin/env bash
# TypeScript 7 has another compiler API, and it gives the members of a union in another order.
#
# One would guess: a tool that reads types, like a generator of RPC contracts, runs on 7 as on 5.
# What happens: require("typescript") gives the version and nothing else; createProgram is gone.
# The API is at typescript/unstable/sync, where a client talks to a tsc process.
# Its checker gives the string literals of a union sorted, where 5 gives them in source order here.
# A generator that lists union members by the checker changes its output; the syntax tree keeps their order.
# Versions: typescript 5.9.3 and 7.0.2, Node 20.20.2. Seen on 2026-11-28.
# Output:
#> 5.9.3 createProgram: function
#> 7.0.2 createProgram: undefined exports: version versionMajorMinor
#> 5.9.3 checker: "trace" "info" "error"
#> 7.0.2 checker: "error" "info" "trace"
#> 7.0.2 syntax: "trace" "info" "error"
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts five@npm:typescript@5.9.3 typescript@7.0.2 >&2

echo 'export type Level = "trace" | "info" | "error"' >level.ts
echo '{"compilerOptions": {"strict": true, "types": []}, "files": ["level.ts"]}' >tsconfig.json
cat >run.mjs <<'EOF'
import { resolve } from "node:path"
import five from "five"
import seven from "typescript"
import { API } from "typescript/unstable/sync"

const file = resolve("level.ts")
const members = (checker, types) => types.map((type) => checker.typeToString(type)).join(" ")

console.log(five.version, "createProgram:", typeof five.createProgram)
console.log(seven.version, "createProgram:", typeof seven.createProgram, "exports:", Object.keys(seven).sort().join(" "))

const program = five.createProgram([file], { strict: true, types: [] })
const [old] = program.getSourceFile(file).statements
const oldUnion = program.getTypeChecker().getTypeAtLocation(old.name)
console.log(five.version, "checker:", members(program.getTypeChecker(), oldUnion.types))

const api = new API({ cwd: resolve(".") })
const [project] = api.updateSnapshot({ openProjects: [resolve("tsconfig.json")] }).getProjects()
const [alias] = project.program.getSourceFile(file).statements
const union = project.checker.getTypeAtLocation(alias.name)
console.log(seven.version, "checker:", members(project.checker, union.getTypes()))
console.log(seven.version, "syntax:", alias.type.types.map((type) => `"${type.literal.text}"`).join(" "))
api.close()
EOF
node run.mjs | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
