// The API of the other end as the application sees it: paths that can be called, constructed, awaited and assigned.

const places = new WeakMap() // what a proxy of remote stands for

/** remote returns the API of the peer's other end, below path. options are those of withCallOptions. */
export function remote(peer, path = [], options) {
	const encode = (args) => args.map((arg) => peer.encodeArgument(arg))
	// biome-ignore lint/complexity/useArrowFunction: an arrow function is not constructible
	const target = function () {} // what is not constructible cannot be called with new
	const proxy = new Proxy(target, {
		get(_, name) {
			if (typeof name === "symbol") return undefined
			if (name !== "then") return remote(peer, [...path, name], options)
			if (path.length === 0) return undefined // the API itself is no promise
			const value = peer.request("get", path, {}, options)
			return value.then.bind(value)
		},
		set(_, name, value) {
			peer.request("set", [...path, name], { v: peer.encode(value) }, options).catch(() => {})
			return true
		},
		apply: (_, __, args) => peer.request("call", path, { a: encode(args) }, options),
		construct: (_, args) => peer.request("new", path, { a: encode(args) }, options)
	})
	places.set(proxy, { peer, path })
	return proxy
}

/** withCallOptions returns the same part of an API, whose calls give up after timeout milliseconds or with signal. */
export function withCallOptions(api, options) {
	const { peer, path } = places.get(api)
	return remote(peer, path, options)
}
