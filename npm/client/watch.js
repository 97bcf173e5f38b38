/**
 * watch calls wake when a page or a worker of a browser comes back: the network is there again, the page is visible again.
 * It calls doubt when the network has gone, rest when the page is frozen in the back/forward cache, and leave when it is
 * left for good. It returns what ends it. Elsewhere it does nothing.
 *
 * @param {{wake(): void, doubt(): void, rest(): void, leave(): void}} on
 */
export function watch({ wake, doubt, rest, leave }) {
	if (globalThis.navigator?.onLine === undefined) return () => {}
	const page = /** @type {Document | undefined} */ (globalThis.document) // a worker has none
	/** @type {[EventTarget | undefined, string, (event: any) => void][]} */
	const handlers = [
		[globalThis, "online", wake],
		[globalThis, "offline", doubt],
		[page, "visibilitychange", () => page?.visibilityState === "visible" && wake()],
		[globalThis, "pageshow", (event) => event.persisted && wake()],
		[globalThis, "pagehide", (event) => (event.persisted ? rest() : leave())],
	]
	for (const [target, name, handler] of handlers) target?.addEventListener(name, handler)
	return () => {
		for (const [target, name, handler] of handlers) target?.removeEventListener(name, handler)
	}
}
