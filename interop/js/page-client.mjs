// The script of a page that makes the runs which GET /runs lists, one after the other, and posts what client.mjs would
// print of each to /results/NUMBER.
import { runBundled } from "./bundled-client.mjs"

const runs = await (await fetch("/runs")).json()
for (const [i, run] of runs.entries()) {
	const results = await runBundled(run).catch((err) => `the run ended with ${err?.stack ?? err}`)
	await fetch(`/results/${i}`, { method: "POST", body: results })
}
