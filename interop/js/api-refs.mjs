// The part of the conformance API that hands out and takes remote references.

/** refs returns it for a kkrpc that has proxy, and nothing for any other. */
export function refs({ proxy } = {}) {
	if (!proxy) return {}
	return {
		openCounter: (start) =>
			proxy({
				value: start,
				increment(by = 1) {
					return (this.value += by)
				}
			}),
		makeAdder: (n) => proxy((x) => x + n),
		applyTwice: async (fn, x) => fn(await fn(x))
	}
}
