// Has each line of the input end an interval of 30 s, which runs by no clock then. Node imports this before the program.
import process from "node:process"
import { createInterface } from "node:readline"

const { setInterval } = globalThis
globalThis.setInterval = (f, time, ...args) => {
	if (time === 0) throw new Error("an interval of nothing")
	if (time !== 30_000) return setInterval(f, time, ...args)
	createInterface({ input: process.stdin }).on("line", () => f(...args))
	return { unref() {} }
}
