// Writes the description of an API that a TypeScript file declares, in the form of package schema.
import { relative, resolve } from "node:path"
import { Failure, open } from "./compilers.mjs"
import { capital, directed, directive, docs, Types } from "./types.mjs"

/** maxDepth bounds how deep namespaces nest, as Go does. */
const maxDepth = 16

class Reader {
	warnings = new Set()
	notify = []
	/** ids of the types that are open as namespaces, the root too */
	open = new Set()
	/** where the member that is being read is */
	reading = ""

	constructor(compiler) {
		this.c = compiler
		const fail = (symbol, text) => {
			throw new Failure(this.at(symbol) + text)
		}
		this.types = new Types(compiler, (symbol, text) => this.warn(symbol, text), fail, this)
	}

	at(symbol) {
		const [declaration] = symbol ? this.c.declarations(symbol) : []
		return declaration ? at(this.c.place(declaration)) : ""
	}

	api(name) {
		const exported = this.c.exports()
		const found = exported.find((symbol) => symbol.name === name)
		if (!found) {
			const names = exported.map((symbol) => symbol.name).sort()
			const others = names.length > 0 ? `; there is ${names.join(", ")}` : ""
			throw new Failure(`${relative(".", file)} exports no type ${name}${others}`)
		}
		const symbol = this.c.original(found)
		const { Interface, TypeAlias, Class } = this.c.ts.SymbolFlags
		const isType = (symbol.flags & (Interface | TypeAlias | Class)) !== 0
		if (isType && this.c.declarations(symbol).some((d) => d.typeParameters?.length)) {
			const want = `export a type with all of them, as in type API = ${name}<string>`
			throw new Failure(`${this.at(symbol)}${name} has type parameters; ${want}`)
		}
		const type = isType ? this.c.declaredType(symbol) : this.c.typeOf(symbol)
		const members = this.types.isObject(type) ? this.members(type, []) : []
		if (members.length === 0) {
			throw new Failure(`${this.at(symbol)}${name} has nothing to call: want an object type with functions`)
		}
		return { name, doc: docs(this.c, symbol), members, types: this.types.list() }
	}

	members(type, path) {
		this.open.add(type.id)
		const members = this.types.members(type).map((symbol) => this.member(symbol, [...path, symbol.name]))
		this.open.delete(type.id)
		return members
	}

	member(symbol, path) {
		this.reading = `${this.at(symbol)}${path.join(".")}: `
		const { parts } = this.types.present(this.c.typeOf(symbol))
		const base = { name: symbol.name, doc: docs(this.c, symbol) }
		const only = parts.length === 1 ? parts[0] : undefined
		const calls = only ? this.c.calls(only) : []
		const constructs = only ? this.c.constructs(only) : []
		if (calls.length + constructs.length > 0) this.warnOfRest(only, symbol, path, calls, constructs)
		if (calls.length > 0) {
			if (calls.length > 1) this.warn(symbol, `${path.join(".")} has ${calls.length} forms; the client has the first`)
			if (directive(this.c, symbol, "notify")) this.notify.push(path)
			return { ...base, kind: "method", function: this.function(calls[0], symbol, path.map(capital).join("")) }
		}
		if (constructs.length > 0) {
			const construct = this.function(constructs[0], symbol, path.map(capital).join(""), true)
			return { ...base, kind: "class", function: construct }
		}
		if (only && this.isNamespace(only, path.length)) {
			if (this.open.has(only.id)) {
				const name = path.join(".")
				const why = `leads back to ${this.c.print(only)}, which is a client without end; leave ${name} out`
				throw new Failure(`${this.at(symbol)}${name} ${why}`)
			}
			return { ...base, kind: "namespace", members: this.members(only, path) }
		}
		const form = this.types.result(this.c.typeOf(symbol), { symbol, name: path.map(capital).join("") })
		const isReadOnly = this.isReadOnly(symbol) || form?.kind === "stream" // there is no way to send one as a value
		return { ...base, kind: isReadOnly ? "readonly" : "property", type: directed(this.c, symbol, form ?? { kind: "unknown" }) }
	}

	/** warnOfRest warns of what is lost of a type that can be called or constructed. */
	warnOfRest(type, symbol, path, calls, constructs) {
		const names = this.types.members(type).map((member) => member.name)
		if (calls.length > 0 && constructs.length > 0) names.unshift("a constructor")
		if (names.length > 0) this.warn(symbol, `${path.join(".")} has ${names.join(", ")} beside; the client has only the function`)
		if (calls.length === 0 && constructs.length > 1) {
			this.warn(symbol, `${path.join(".")} has ${constructs.length} forms; the client has the first`)
		}
	}

	warn(symbol, text) {
		this.warnings.add(this.at(symbol) + text)
	}

	/** isNamespace reports whether something can be called in an object, at any depth. seen are ids of types without it. */
	isNamespace(type, depth, seen = new Set()) {
		if (depth > maxDepth || seen.has(type.id) || !this.types.isObject(type)) return false
		seen.add(type.id)
		return this.types.members(type).some((symbol) => {
			const { parts } = this.types.present(this.c.typeOf(symbol))
			const isCalled = (part) => this.c.calls(part).length > 0 || this.c.constructs(part).length > 0
			return parts.some((part) => isCalled(part) || this.isNamespace(part, depth + 1, seen))
		})
	}

	isReadOnly(symbol) {
		const { SyntaxKind } = this.c.ts
		const declarations = this.c.declarations(symbol)
		const isGetter = declarations.some((d) => d.kind === SyntaxKind.GetAccessor)
		const isSetter = declarations.some((d) => d.kind === SyntaxKind.SetAccessor)
		const isModified = declarations.some((d) => d.modifiers?.some((m) => m.kind === SyntaxKind.ReadonlyKeyword))
		return (isGetter && !isSetter) || isModified || this.c.isReadOnly(symbol)
	}

	function(signature, symbol, name, isInstance) {
		const params = this.c.parameters(signature).map((param, i) => this.param(param, symbol, name, i))
		const context = { symbol, name: name + (isInstance ? "" : "Result"), isInstance }
		const result = this.types.result(this.c.result(signature), context)
		return { params, result: directed(this.c, symbol, result) }
	}

	param(param, method, name, position) {
		const [declaration] = this.c.declarations(param)
		const isNamed = /^[\p{L}_$][\p{L}\p{Nd}_$]*$/u.test(param.name) && !param.name.startsWith("__")
		const symbol = declaration ? param : method
		const context = { symbol, name: name + (isNamed ? capital(param.name) : `Arg${position + 1}`) }
		const type = this.c.typeOf(param)
		const described = { name: isNamed ? param.name.replaceAll("$", "_") : "", type: { kind: "unknown" } }
		if (declaration?.dotDotDotToken) {
			described.variadic = true
			if (this.c.isArray(type)) described.type = this.types.value(this.c.arguments(type)[0], context)
			else this.warn(symbol, `the rest ${this.c.print(type)} has no type in Go; it is any number of any`)
		} else {
			const { parts } = this.types.present(type)
			described.optional = Boolean(declaration?.questionToken || declaration?.initializer)
			described.type = this.argument(type, parts, context)
			if (described.optional && described.type.kind === "nullable") described.type = described.type.elem
		}
		described.type = directed(this.c, param, described.type)
		return described
	}

	argument(type, parts, context) {
		const only = parts.length === 1 ? parts[0] : undefined
		const item = only && this.types.stream(only)
		if (item) return { kind: "stream", elem: this.types.value(item, { ...context, name: context.name + "Item" }) }
		const [call] = only ? this.c.calls(only) : []
		if (!call) return this.types.value(type, context)
		const again = () => this.warn(context.symbol, `the callback ${this.c.print(only)} is a parameter of itself; it is any`)
		const callback = this.types.inside(only, context, () => this.function(call, context.symbol, context.name), again)
		if (!callback) return { kind: "unknown" }
		if (callback.result && callback.result.kind !== "unknown") {
			this.warn(context.symbol, "what this callback returns does not come back from Go; declare that it returns void")
		}
		return { kind: "callback", function: { params: callback.params } }
	}
}

/** at is how a place is written for people. */
const at = ({ path, line, character }) => (path ? `${relative(".", path)}:${line + 1}:${character + 1}: ` : "")

const file = resolve(process.argv[2])

/** mostProblems is how many errors of the compiler are worth reading at once. */
const mostProblems = 20

async function read() {
	const compiler = await open(file)
	try {
		if (compiler.problems.length > 0) {
			const lines = compiler.problems.map((problem) => at(problem) + problem.text.replace(/\s+/g, " "))
			const more = lines.length - mostProblems
			throw new Failure(...lines.slice(0, mostProblems), ...(more > 0 ? [`and ${more} more errors`] : []))
		}
		const reader = new Reader(compiler)
		let api
		try {
			api = reader.api(process.argv[3])
		} catch (error) {
			if (error instanceof Failure) throw error
			const [reason] = String(error).split("\n")
			throw new Failure(`${reader.reading}the TypeScript compiler or kkrpc gen go fails here: ${reason}`)
		}
		if (!compiler.strict) reader.warnings.add(`strictNullChecks is off in tsconfig.json, so that null is not seen`)
		return { api, notify: reader.notify, warnings: [...reader.warnings] }
	} finally {
		compiler.close()
	}
}

try {
	console.log(JSON.stringify(await read()))
} catch (error) {
	if (!(error instanceof Failure)) throw error
	console.log(JSON.stringify({ errors: error.lines }))
}
