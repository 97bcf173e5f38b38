// What the host answers where a real server does not get: without a context, and without permissions on Deno. The first
// argument is the path of values.mjs.
const { bindings, processEnvironment, Values } = await import(process.argv[2])

const VARIABLE = 0
const ENVIRONMENT = 1

function text(answer) {
	return answer[0] + new TextDecoder().decode(answer.subarray(1))
}

const none = new Values(undefined, processEnvironment, () => undefined)
const worker = new Values(undefined, bindings, () => undefined)
console.log(text(none.answer(VARIABLE, "user", 100)))
console.log(text(none.answer(ENVIRONMENT, "ALLOWED", 100)))
console.log(text(worker.answer(ENVIRONMENT, "ALLOWED", 100)))
console.log(text(await worker.run(`["KV",["get"]]`, new Uint8Array(), 100)))
console.log(text(none.answer(ENVIRONMENT, "SECRET", 100)))
console.log(text(none.answer(ENVIRONMENT, "a=b", 100)))
