// Five commands, JSON lines in and out. encode: prints every value of the table. verify: reads the same table as the Go
// side wrote it again and compares. describe: reads values the Go side made and prints what they are. graphs and graph are
// encode and describe for values with the identity of their objects. The second argument is the package of the library:
// superjson, or superjson-2.2.6.
import { deepStrictEqual } from "node:assert";
import { createInterface } from "node:readline";

const { default: superjson } = await import(process.argv[3]);

const shared = { k: 1n };
const cyclic = { n: 1 };
cyclic.self = cyclic;
const list = [1];
list.push(list);
const date = new Date(5);
const inner = { d: date };

const table = {
  string: "a\"b\\c\u2028\u0001é😀",
  empty: "",
  numbers: [0, 1, -1, 1.5, 1e21, 1e-7, 123456789012345680000, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 0.1, 1e20, 1e-6],
  special: [NaN, Infinity, -Infinity, -0],
  nan: NaN,
  undefined: undefined,
  null: null,
  booleans: [true, false],
  nested: { u: undefined, a: [undefined, null], o: {}, l: [] },
  bigint: 123456789012345678901234567890n,
  bigints: { a: 1n, b: -1n, c: [0n] },
  dates: [new Date(0), new Date(-1), new Date("2024-02-29T12:34:56.789Z"), new Date(8.64e15), new Date(-8.64e15), new Date("-000001-12-31T23:59:59.999Z"), new Date("+010000-02-29T00:00:00.000Z"), new Date("0000-01-01T00:00:00.000Z")],
  map: new Map([["k.1", new Set([1n])], ["plain", 1], [{ o: date }, new Map([[1, undefined]])]]),
  set: new Set([1, "1", null, undefined, NaN, new Set([new Date(1)])]),
  regexps: [/a\/b/gi, /(?:)/, /[/\]]+(?<n>x)\k<n>/u, new RegExp("")],
  url: new URL("https://user:pw@example.com:8080/a%20b?q=1#f"),
  urls: [new URL("mailto:a@b.c"), new URL("http://x/")],
  error: Object.assign(new TypeError("bad"), {}),
  errors: [new RangeError("outer", { cause: new Error("inner") }), new Error("c", { cause: { a: [1n] } })],
  typed: [Uint8Array.of(1, 255), Int8Array.of(-128, 127), Uint8ClampedArray.of(0, 255), Int16Array.of(-32768), Uint16Array.of(65535), Int32Array.of(-2147483648), Uint32Array.of(4294967295), Float32Array.of(0.1, 1.5), Float64Array.of(0.1, 5e-324), new Uint8Array(0)],
  keys: { "a.b": date, "a\\b": 1n, "a\\.b": 2n, "": 3n, "0": 4n, "10": 5n, "9": 6n, "a'b": undefined, "\\": 7n },
  shared: { a: shared, b: shared, c: [shared, { shared }] },
  sharedList: [[shared], new Map([["s", shared]])],
  deepShared: { a: inner, b: inner, c: [inner, date] },
  cyclic,
  cyclicList: list,
  cyclicNested: { a: { b: cyclic, c: new Map([["x", cyclic]]) } },
  rootList: [shared, shared],
};

if (process.argv[3] !== "superjson-2.2.6") {
  table.bigTyped = [BigInt64Array.of(1n, -2n, 2n ** 63n - 1n, -(2n ** 63n)), BigUint64Array.of(2n ** 64n - 1n, 0n), new BigInt64Array(0)];
}

const lines = createInterface({ input: process.stdin });
const print = (v) => process.stdout.write(JSON.stringify(v) + "\n");

function describe(v) {
  if (v === undefined) return "undefined";
  if (v === null) return "null";
  if (Object.is(v, -0)) return "-0";
  if (typeof v === "bigint") return `${v}n`;
  if (typeof v === "string") return JSON.stringify(v);
  if (typeof v !== "object") return String(v);
  if (v instanceof Date) return `Date(${v.toISOString()})`;
  if (v instanceof RegExp) return `RegExp(${v})`;
  if (v instanceof URL) return `URL(${v})`;
  if (v instanceof Map) return `Map(${[...v].map(([k, x]) => `${describe(k)}=>${describe(x)}`)})`;
  if (v instanceof Set) return `Set(${[...v].map(describe)})`;
  if (v instanceof Error) return `Error(${v.name},${v.message}${v.cause === undefined ? "" : "," + describe(v.cause)})`;
  if (ArrayBuffer.isView(v)) return `${v.constructor.name}(${[...v]})`;
  if (Array.isArray(v)) return `[${v.map(describe)}]`;
  return `{${Object.entries(v).map(([k, x]) => `${k}:${describe(x)}`)}}`;
}

// graph describes a value with the identity of its objects: #n is the n-th object that was met.
function graph(v, met = new Map()) {
  if (typeof v !== "object" || v === null) return describe(v);
  if (met.has(v)) return `#${met.get(v)}`;
  met.set(v, met.size);
  if (v instanceof Map) return `Map(${[...v].map(([k, x]) => `${graph(k, met)}=>${graph(x, met)}`)})`;
  if (v instanceof Set) return `Set(${[...v].map((x) => graph(x, met))})`;
  if (Array.isArray(v)) return `[${v.map((x) => graph(x, met))}]`;
  if (Object.getPrototypeOf(v) === Object.prototype) return `{${Object.entries(v).map(([k, x]) => `${k}:${graph(x, met)}`)}}`;
  return describe(v);
}

// Values whose objects are in several places.
const noop = () => {};
const user = { name: "u", posts: [] };
const post = { author: user, title: "p" };
user.posts.push(post);
const point = { x: 1, bounds: { min: point0(), max: null } };
point.bounds.max = point.bounds.min;
function point0() {
  return { at: new Date(1) };
}
const graphs = {
  usersFirst: [user, post],
  postsFirst: [post, user],
  pair: { b: post, a: user },
  grid: Array.from({ length: 56 }, () => Array(56).fill(shared)),
  deepGrid: Array.from({ length: 56 }, () => Array(56).fill(point)),
  notNumbers: Array.from({ length: 2049 }, () => ({ v: NaN })),
  bigints: Array.from({ length: 2049 }, () => ({ v: 7n })),
  functions: { close: noop, list: [noop, 1], map: new Map([[1, noop]]), open: noop, z: shared, zz: shared },
  prices: { paid: 5n, price: 5n },
  dates: { from: date, to: date },
  urls: ((u) => ({ a: u, b: u }))(new URL("http://x/")),
  emptyKeys: { "": { "": { "": 1n } }, a: { "": shared }, b: { "": shared } },
  nested: { a: { only: 1n, p: { q: { r: { s: { t: { u: 2n } } } } } } },
};

switch (process.argv[2]) {
  case "graphs":
    for (const [name, value] of Object.entries(graphs)) print({ name, text: superjson.stringify(value), graph: graph(value) });
    break;
  case "graph":
    for await (const line of lines) {
      try {
        print(graph(superjson.parse(line)));
      } catch (e) {
        print("refused: " + e.message);
      }
    }
    break;
  case "encode":
    for (const [name, value] of Object.entries(table)) print({ name, text: superjson.stringify(value) });
    break;
  case "verify":
    for await (const line of lines) {
      const { name, text } = JSON.parse(line);
      try {
        const got = superjson.parse(text);
        const want = superjson.parse(superjson.stringify(table[name]));
        deepStrictEqual(got, want);
        if (name === "shared" && (got.a !== got.b || got.c[0] !== got.a || got.c[1].shared !== got.a)) throw new Error("not shared");
        if (name === "cyclic" && got.self !== got) throw new Error("no cycle");
        if (name === "deepShared" && (got.a !== got.b || got.c[0] !== got.a)) throw new Error("not shared");
        print({ name, ok: true });
      } catch (e) {
        print({ name, ok: false, why: String(e.message), text });
      }
    }
    break;
  case "describe":
    for await (const line of lines) {
      try {
        print(describe(superjson.parse(line)));
      } catch (e) {
        print("refused: " + e.message);
      }
    }
    break;
}
