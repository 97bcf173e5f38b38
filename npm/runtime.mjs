// What is private in Go's runtime and used here. Each item says why it is needed. No other
// file names any of it. runtime_test.go looks for each item in the Go that is installed, and fails if a release has changed it:
// this file has to follow then.

/**
 * An instance of the class Go of wasm_exec.js. The first three are what every host of a program uses.
 *
 * @typedef {object} Go
 * @property {Record<string, WebAssembly.ModuleImports>} importObject
 * @property {(code: number) => void} exit
 * @property {(program: WebAssembly.Instance) => Promise<void>} run calls into Go before it returns
 * @property {() => void} _resume
 * @property {WebAssembly.Instance} [_inst]
 * @property {Map<number, ReturnType<typeof setTimeout>>} _scheduledTimeouts
 * @property {DataView} mem
 */

/**
 * What Go's linker exports beside the functions of the program.
 *
 * @typedef {object} RuntimeExports
 * @property {() => void} resume
 * @property {WebAssembly.Memory} mem
 */

/**
 * The export `resume`: runs goroutines until all of them wait. A function of go:wasmexport makes some of them
 * runnable, and returns before they run.
 *
 * @param {RuntimeExports} exports
 */
export function runGoroutines(exports) {
	exports.resume()
}

/**
 * The export `mem`: the memory of the program, whose buffer is another one after each growth. Messages cross in it.
 *
 * @param {RuntimeExports} exports
 */
export function memoryOf(exports) {
	return exports.mem.buffer
}

/** The runtime of one program. */
export class Runtime {
	/** @param {new () => Go} Go */
	constructor(Go) {
		this.go = new Go()
	}

	/**
	 * `_resume`, by which timers and functions of js.FuncOf let Go run. Both look it up each time, so that another
	 * function can take its place: Go must not be entered while it runs, nor in any request of a Worker.
	 *
	 * @param {(resume: () => void) => void} f is called instead, and calls resume
	 */
	wrapResume(f) {
		const resume = this.go._resume.bind(this.go)
		this.go._resume = () => f(resume)
	}

	/** Calls `_resume`, as a timer of replaceTimers has to. */
	wake() {
		this.go._resume()
	}

	/**
	 * `_inst`. If a function that Go has called throws, wasm_exec.js gives the error to Go by the exports of
	 * `_inst`. A program that has failed would go on with a broken stack. Without `_inst`, as after an exit, that fails too.
	 */
	cutOff() {
		delete this.go._inst
	}

	/**
	 * `_scheduledTimeouts`: the timers of JavaScript that wake Go. Those of a program that has ended would call into
	 * it.
	 */
	clearTimers() {
		for (const timer of this.go._scheduledTimeouts.values()) clearTimeout(timer)
		this.go._scheduledTimeouts.clear()
	}

	/**
	 * `runtime.scheduleTimeoutEvent` and `runtime.clearTimeoutEvent`, among the imports that are called `gojs`. Both take the address of Go's stack: an argument is 8 bytes behind it, and the result 16 bytes. `mem`
	 * is a view of the memory with both. A Worker cannot keep a timer beyond the request that has made it.
	 *
	 * @param {(delay: number) => number} schedule takes milliseconds, and returns the id of the timer, from 0 to 2^31-1
	 * @param {(id: number) => unknown} clear
	 */
	replaceTimers(schedule, clear) {
		const { go } = this
		Object.assign(go.importObject.gojs, {
			// func scheduleTimeoutEvent(delay int64) int32
			"runtime.scheduleTimeoutEvent": (/** @type {number} */ sp) => {
				sp >>>= 0
				const id = schedule(Number(go.mem.getBigInt64(sp + 8, true)))
				go.mem.setInt32(sp + 16, id, true)
			},
			// func clearTimeoutEvent(id int32)
			"runtime.clearTimeoutEvent": (/** @type {number} */ sp) => {
				clear(go.mem.getInt32((sp >>> 0) + 8, true))
			},
		})
	}
}
