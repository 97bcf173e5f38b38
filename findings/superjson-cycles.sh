#!/usr/bin/env bash
# superjson loses references when a list names several objects of one cycle.
#
# One would guess: superjson keeps cycles, since it writes equal references beside the JSON.
# What happens: a cycle is kept when the message holds it once, under its first object.
# A list that also names the second object loses references: they arrive as null, without an error.
# The reader replaces the second object's copy inside the first by the copy in the list.
# The copy in the list was written with null in place of the first object. No reference names that place.
# The order of the list decides which reference is lost.
# Versions: superjson 2.2.7, Node 20.20.2. 2.2.6 prints the same. Seen on 2026-11-28.
# Output:
#> wire of [user, post] {"json":[{"posts":[{"author":null}]},{"author":null}],"meta":{"referentialEqualities":{"0":["0.posts.0.author"],"1":["0.posts.0"]},"v":1}}
#> user: the author of its post is kept
#> [user, post]: the user's post is kept
#> [user, post]: the author of the post is null
#> [post, user]: the author of the post is kept
#> [post, user]: the user's post is null
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts superjson@2.2.7 >&2

cat >run.mjs <<'EOF'
import superjson from "superjson"

const user = { posts: [] }
const post = { author: user }
user.posts.push(post)

const cross = (value) => superjson.parse(superjson.stringify(value))
const same = (a, b) => (a === b ? "kept" : String(a))

console.log("wire of [user, post]", superjson.stringify([user, post]))

const alone = cross(user)
console.log("user: the author of its post is", same(alone.posts[0].author, alone))

const first = cross([user, post])
console.log("[user, post]: the user's post is", same(first[0].posts[0], first[1]))
console.log("[user, post]: the author of the post is", same(first[1].author, first[0]))

const second = cross([post, user])
console.log("[post, user]: the author of the post is", same(second[0].author, second[1]))
console.log("[post, user]: the user's post is", same(second[1].posts[0], second[0]))
EOF
node run.mjs | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
