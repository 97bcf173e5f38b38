// The script of a page that puts what bytes-in-runtime.mjs finds where the test looks.
import { exchange, measure } from "./bytes-in-runtime.mjs"

globalThis.found = { values: await exchange("/ws"), times: measure() }
