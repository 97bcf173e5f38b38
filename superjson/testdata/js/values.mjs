// Values as JavaScript expressions, one a line, for the version of superjson named by the first argument.
// write: prints what the library writes for each. read: each line has the text that Go wrote and the expression of the
// value that it must be; prints {ok} or {why}. json and readJSON are the same by JSON.stringify and JSON.parse.
import { deepStrictEqual } from "node:assert";
import { createInterface } from "node:readline";

const [library, command] = process.argv.slice(2);
const { default: superjson } = await import(library);
const codec = { write: superjson.stringify, json: JSON.stringify, read: superjson.parse, readJSON: JSON.parse }[command];

for await (const line of createInterface({ input: process.stdin })) {
  const { js, text } = JSON.parse(line);
  let out;
  try {
    const value = (0, eval)(`(${js})`);
    out = text === undefined ? { text: codec(value) } : (deepStrictEqual(codec(text), value), { ok: true });
  } catch (e) {
    out = { why: e.message };
  }
  process.stdout.write(JSON.stringify(out) + "\n");
}
