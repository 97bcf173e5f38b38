// Types of TypeScript in the form of package schema.

/** What a type of JavaScript is in Go. Typed arrays and errors have lists of their own. */
const globals = {
	Date: "date",
	RegExp: "regexp",
	URL: "url",
	Map: "map",
	ReadonlyMap: "map",
	Set: "set",
	ReadonlySet: "set",
	Uint8Array: "bytes",
	Buffer: "bytes"
}
const typedArrays =
	/^(Int8|Uint8Clamped|Int16|Uint16|Int32|Uint32|Float32|Float64|BigInt64|BigUint64)Array$/
const errors = /^(Aggregate|Eval|Range|Reference|Syntax|Type|URI)?Error$/
const promises = ["Promise", "PromiseLike"]
const streams = [
	"AsyncIterable", "AsyncIterableIterator", "AsyncIterator", "AsyncGenerator", "AsyncIteratorObject", "ReadableStream"
]
/** alone is what a warning says of a stream that is a part of something. */
const alone = "a stream can only be a result, a parameter or a property itself"

/** capital begins a name with a capital, and drops what cannot be in one. */
export const capital = (name) =>
	name
		.split(/[^\p{L}\p{Nd}]+/u)
		.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
		.join("")

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

/** comparePlaces compares places in the source. What has none comes last. */
const comparePlaces = (p, q) => {
	if (!p || !q) return p ? -1 : q ? 1 : 0
	return compare(p.path, q.path) || p.line - q.line || p.character - q.character
}

/** nameOfValue is a name for one that has none: -1 is Minus1. */
const nameOfValue = (value) => (typeof value === "number" ? String(value).replaceAll("-", "Minus") : value)

/**
 * mostInstances bounds how often the type of one declaration is open at once. Type arguments that grow from one to the
 * next have no end.
 */
const mostInstances = 64

/** Types describes types, and names those that a Go file has to declare. */
export class Types {
	/** @type {Map<unknown, object>} by the id of a type, the symbol of an enum, or the name and values of an enumeration */
	#named = new Map()
	#taken = new Set()
	/** declarations of aliases of literals, by their values: a union forgets its name beside null */
	#enumerations = new Map()
	/** ids of the types that are being described, and how many there are of each symbol */
	#open = new Set()
	#instances = new Map()

	/** warn and fail take a symbol, for its place, and a text. The reader describes functions, for references. */
	constructor(compiler, warn, fail, reader) {
		this.c = compiler
		this.warn = warn
		this.fail = fail
		this.reader = reader
		this.flags = compiler.ts.TypeFlags
		for (const file of compiler.files) {
			for (const node of file.statements) {
				if (node.kind !== compiler.ts.SyntaxKind.TypeAliasDeclaration || node.typeParameters) continue
				const values = this.#literals(this.#parts(compiler.typeAt(node.name)))
				const key = values && JSON.stringify([...values].sort())
				if (key && values.length > 1 && !this.#enumerations.has(key)) this.#enumerations.set(key, node)
			}
		}
	}

	/** list has all types with a name, for schema.API. */
	list() {
		return [...this.#named.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
	}

	is(type, flags) {
		return (type.flags & flags) !== 0
	}

	/** lib is the name of a type of JavaScript itself, or undefined. Utility types as Omit have only members of others. */
	lib(type) {
		const symbol = this.is(type, this.flags.Object) ? this.c.symbol(type) : undefined
		return symbol && symbol.name !== "__type" && !this.#isOwn(symbol) ? symbol.name : undefined
	}

	/** isOwn reports whether no library declares a symbol first. */
	#isOwn(symbol) {
		const [declaration] = this.c.declarations(symbol)
		return !declaration || !this.c.isLibrary(declaration)
	}

	/** inside describes a type, of which other types may be parts. An open one is described by again. */
	inside(type, context, describe, again) {
		if (this.#open.has(type.id)) return again()
		const symbols = [this.c.alias(type), this.c.symbol(type)]
		const symbol = symbols.find((symbol) => symbol && this.#isOwn(symbol))
		const count = this.#instances.get(symbol) ?? 0
		if (symbol && count === mostInstances) {
			this.fail(context.symbol, `the type arguments of ${this.#nameOfSymbol(symbol, context)} grow without end`)
		}
		this.#open.add(type.id)
		this.#instances.set(symbol, count + 1)
		try {
			return describe()
		} finally {
			this.#open.delete(type.id)
			this.#instances.set(symbol, count)
		}
	}

	#nameOfSymbol(symbol, context) {
		return /^__/.test(symbol.name) ? context.name : symbol.name
	}

	/** recursive describes a list or a record. It has a name if it is a part of itself. */
	#recursive(type, context, describe) {
		const name = (fill) => this.#name(type.id, this.#nameOf(type) ?? context.name, fill)
		if (this.#named.has(type.id)) return name()
		const form = this.inside(type, context, describe, () => name(() => {}))
		const named = this.#named.get(type.id)
		if (!named || form.kind === "named") return form
		named.doc = this.#docsOf(type)
		named.type = form
		return name()
	}

	/** awaited is the type of what a promise gives, or the type itself. */
	awaited(type) {
		while (promises.includes(this.lib(type))) [type] = this.c.arguments(type)
		return type
	}

	/** isObject reports whether type has members of its own, and is no data of JavaScript. */
	isObject(type) {
		if (!this.is(type, this.flags.Object | this.flags.Intersection) || this.lib(type) || this.stream(type)) return false
		return this.is(type, this.flags.Intersection) || (!this.c.isArray(type) && !this.c.isTuple(type))
	}

	/** stream is the type of the items if type is a stream, or undefined. */
	stream(type) {
		const parts = this.is(type, this.flags.Intersection) ? this.c.types(type) : [type]
		const stream = parts.find((part) => streams.includes(this.lib(part)))
		return stream && this.c.arguments(stream)[0]
	}

	/**
	 * members are the properties that can be named from outside, in the order of their declarations. Those that no place
	 * declares, as of a Record, come in the order of their names, since compilers differ.
	 */
	members(type) {
		const { SyntaxKind } = this.c.ts
		const hidden = [SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword]
		const members = this.c.properties(type).map((symbol) => {
			const [declaration] = this.c.declarations(symbol)
			const isHidden = declaration?.modifiers?.some((m) => hidden.includes(m.kind)) || /^(__@|#|__#)/.test(symbol.name)
			return { symbol, isHidden, place: declaration && this.c.place(declaration) }
		})
		return members
			.filter(({ symbol, isHidden }) => !isHidden && symbol.name !== "prototype")
			.sort((a, b) => comparePlaces(a.place, b.place) || (a.place ? 0 : compare(a.symbol.name, b.symbol.name)))
			.map(({ symbol }) => symbol)
	}

	/** present is a type without undefined, and null if that stands beside it. */
	present(type) {
		const parts = this.#parts(type)
		const rest = parts.filter((part) => !this.is(part, this.flags.Undefined | this.flags.Void))
		const left = rest.filter((part) => !this.is(part, this.flags.Null))
		return { parts: left, isNull: left.length < rest.length, isUndefined: rest.length < parts.length }
	}

	#parts(type) {
		return this.is(type, this.flags.Union) ? this.c.types(type) : [type]
	}

	/** result describes what a function gives, or is undefined for nothing. */
	result(type, context) {
		const parts = this.#parts(type).map((part) => this.awaited(part))
		const only = [...new Map(parts.flatMap((part) => this.#parts(part)).map((part) => [part.id, part])).values()]
		const item = only.length === 1 ? this.stream(only[0]) : undefined
		if (item) return { kind: "stream", elem: this.#part(item, context, "Item") }
		if (only.every((part) => this.is(part, this.flags.Undefined | this.flags.Void | this.flags.Never))) return undefined
		return parts.length === 1 ? this.value(parts[0], context) : this.#union(only, context, type)
	}

	/** value describes data. In context are the symbol that has the type, and a name for a type without one. */
	value(type, context) {
		const awaited = this.awaited(type)
		return this.#union(this.#parts(awaited), context, awaited)
	}

	#union(parts, context, type) {
		const left = parts.filter((part) => !this.is(part, this.flags.Undefined | this.flags.Void | this.flags.Null))
		const form = this.#present(left, context, type)
		const isNullable = left.length < parts.length && !["unknown", "nullable"].includes(form.kind)
		return isNullable ? { kind: "nullable", elem: form } : form
	}

	#present(parts, context, type) {
		const all = (flags) => parts.every((part) => this.is(part, flags))
		if (parts.length === 0) return { kind: "unknown" }
		if (all(this.flags.BooleanLike)) return { kind: "boolean" }
		const values = parts.length > 1 || this.is(parts[0], this.flags.EnumLiteral) ? this.#literals(parts) : undefined
		if (values) return this.#enumeration(parts, values, context, type)
		if (all(this.flags.StringLike)) return { kind: "string" }
		if (all(this.flags.NumberLike)) return { kind: "number" }
		if (all(this.flags.BigIntLike)) return { kind: "bigint" }
		if (parts.length > 1) {
			const union = parts.map((part) => this.c.print(part)).join(" | ")
			return this.#unknown(context, `the union ${union} has no type in Go`)
		}
		return this.#single(parts[0], context)
	}

	/** literals are the values of types that are texts, or numbers; undefined if one of them is neither. */
	#literals(parts) {
		const { StringLiteral, NumberLiteral } = this.flags
		const isLiteral = (flag) => parts.every((part) => this.is(part, flag))
		const isEach = parts.length > 0 && (isLiteral(StringLiteral) || isLiteral(NumberLiteral))
		return isEach ? parts.map((part) => part.value) : undefined
	}

	#enumeration(parts, values, context, type) {
		const enumOf = (part) => (this.is(part, this.flags.EnumLiteral) ? this.#enumOf(this.c.symbol(part)) : undefined)
		const parents = parts.map(enumOf)
		if (parents[0] && parents.every((parent) => parent === parents[0])) return this.#enum(parents[0])
		const key = JSON.stringify([...values].sort())
		const own = type && this.c.aliasArguments(type).length === 0 ? this.c.alias(type) : undefined
		const similar = this.#enumerations.get(key)
		const alias = own && this.#isOwn(own) ? own : similar && this.c.alias(this.c.typeAt(similar.name))
		const declared = this.c.declarations(alias ?? context.symbol)[0]
		const name = alias?.name ?? this.#memberOf(declared, context)
		return this.#name(`${name} ${key}`, name, (named) => {
			const order = declared ? this.#literalsIn(declared) : []
			const place = (value) => (order.includes(value) ? order.indexOf(value) : order.length)
			const sorted = [...values].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
			this.#values(named, alias, context, sorted.map((value) => ({ name: nameOfValue(value), value })))
		})
	}

	/** enum describes an enum of TypeScript. A part of its members is all of them, since Go has no such type. */
	#enum(symbol) {
		const parts = this.#parts(this.c.declaredType(symbol))
		return this.#name(symbol, symbol.name, (named) => {
			const values = parts.map((part) => {
				const member = this.c.symbol(part)
				return { symbol: member, name: member.name, value: part.value, doc: docs(this.c, member) }
			})
			const places = new Map(values.map(({ symbol }) => [symbol, this.#placeOf(symbol)]))
			values.sort(({ symbol: a }, { symbol: b }) => comparePlaces(places.get(a), places.get(b)))
			this.#values(named, symbol, { symbol }, values)
		})
	}

	/** values sets those of an enumeration. */
	#values(named, symbol, context, values) {
		for (const { symbol: member, name, value } of values) {
			if (typeof value === "string" || Number.isFinite(value)) continue
			this.fail(member ?? context.symbol, `${named.name}.${name} is no finite number, which JSON does not have`)
		}
		const kindOf = (value) => (Number.isSafeInteger(value) ? "integer" : "number")
		const kinds = values.map(({ value }) => (typeof value === "string" ? "string" : kindOf(value)))
		named.doc = symbol ? docs(this.c, symbol) : ""
		named.type = { kind: kinds.includes("number") ? "number" : kinds[0] }
		named.values = values.map(({ name, value, doc }) => ({ name, doc, json: JSON.stringify(value) }))
	}

	/** literalsIn are the texts and numbers that stand in a declaration, in their order. */
	#literalsIn(node, list = []) {
		const { NumericLiteral, StringLiteral, NoSubstitutionTemplateLiteral } = this.c.ts.SyntaxKind
		const { MinusToken, PrefixUnaryExpression } = this.c.ts.SyntaxKind
		if (node.kind === StringLiteral || node.kind === NoSubstitutionTemplateLiteral) list.push(node.text)
		else if (node.kind === NumericLiteral) list.push(Number(node.text))
		else if (node.kind === PrefixUnaryExpression && node.operator === MinusToken && node.operand.kind === NumericLiteral) {
			list.push(-Number(node.operand.text))
		} else node.forEachChild((child) => void this.#literalsIn(child, list))
		return list
	}

	/** memberOf is a name for the type of a member: that of its interface or class comes first, wherever it was met. */
	#memberOf(declaration, context) {
		const { InterfaceDeclaration, ClassDeclaration } = this.c.ts.SyntaxKind
		const parent = declaration?.parent
		if (!parent?.name || ![InterfaceDeclaration, ClassDeclaration].includes(parent.kind)) return context.name
		return context.isMember ? parent.name.text + capital(context.symbol.name) : context.name
	}

	#placeOf(symbol) {
		const [declaration] = this.c.declarations(symbol)
		return declaration && this.c.place(declaration)
	}

	/** enumOf is the enum of a member. An enum of one member is the type of that member. */
	#enumOf(symbol) {
		const { Enum } = this.c.ts.SymbolFlags
		return symbol.flags & Enum ? symbol : this.c.parent(symbol)
	}

	#unknown(context, why) {
		this.warn(context.symbol, `${why}; it is any`)
		return { kind: "unknown" }
	}

	#single(type, context) {
		const f = this.flags
		if (this.is(type, f.Any | f.Unknown)) return { kind: "unknown" }
		if (this.is(type, f.TypeParameter | f.Instantiable)) {
			const constraint = this.is(type, f.TypeParameter) ? undefined : this.c.constraint(type)
			if (constraint && constraint.id !== type.id) return this.value(constraint, context)
			return this.#unknown(context, `only a call says what ${this.c.print(type)} is`)
		}
		if (this.is(type, f.Intersection)) {
			const primitive = f.StringLike | f.NumberLike | f.BooleanLike | f.BigIntLike
			const base = this.c.types(type).find((part) => this.is(part, primitive))
			if (base) return this.value(base, context) // with a brand
			if (this.stream(type)) return this.#unknown(context, alone)
			return this.#object(type, context)
		}
		if (!this.is(type, f.Object)) {
			return this.#unknown(context, `${this.c.print(type)} has no type in Go`)
		}
		if (this.c.isArray(type)) {
			const list = () => ({ kind: "list", elem: this.#part(this.c.arguments(type)[0], context, "Item") })
			return this.#recursive(type, context, list)
		}
		if (this.c.isTuple(type)) {
			const again = () => this.#unknown(context, `the tuple ${this.c.print(type)} is a part of itself`)
			return this.inside(type, context, () => this.#tuple(type, context), again)
		}
		const lib = this.lib(type)
		if (lib) return this.#global(lib, type, context)
		return this.#object(type, context)
	}

	/** part describes the items of a list, or the values of a record. */
	#part(type, context, word) {
		return this.value(type, { ...context, name: context.name + word, isMember: false })
	}

	#tuple(type, context) {
		const items = this.c.arguments(type)
		if (items.length > 0 && items.every((item) => item.id === items[0].id) && this.c.isFixed(type)) {
			return { kind: "list", len: items.length, elem: this.#part(items[0], context, "Item") }
		}
		return this.#unknown(context, `the tuple ${this.c.print(type)} has no type in Go`)
	}

	#global(name, type, context) {
		if (Object.hasOwn(globals, name)) return { kind: globals[name] }
		if (typedArrays.test(name)) return { kind: "typed", name }
		if (errors.test(name)) return { kind: "error" }
		if (streams.includes(name)) return this.#unknown(context, alone)
		if (this.c.indexes(type).length > 0) return this.#object(type, context)
		return this.#unknown(context, `${this.c.print(type)} does not cross the connection as itself`)
	}

	#object(type, context) {
		const [call] = this.c.calls(type)
		if (call) return this.#functionReference(type, call, context)
		const members = this.members(type)
		const indexes = this.c.indexes(type)
		if (members.length === 0 && indexes.length > 0) {
			const record = () => ({ kind: "record", key: { kind: "string" }, elem: this.#part(indexes[0], context, "Value") })
			return this.#recursive(type, context, record)
		}
		if (members.length === 0) return { kind: "unknown" }
		if (indexes.length > 0) return this.#unknown(context, `${this.c.print(type)} has both members and an index`)
		const isCalled = (symbol) => this.present(this.c.typeOf(symbol)).parts.some((part) => this.c.calls(part).length > 0)
		const data = context.isInstance ? members.filter((symbol) => !isCalled(symbol)) : members
		if (data.some(isCalled)) return this.#reference(type, context, members)
		return this.#name(type.id, this.#nameOf(type) ?? context.name, (named) => {
			named.doc = this.#docsOf(type)
			const fields = () => data.map((member) => this.#field(member, named.name))
			named.type = { kind: "struct", fields: this.inside(type, context, fields) } // never open: it is named by now
		})
	}

	/** functionReference describes a function that stays on its side. It has a name if its type has an alias. */
	#functionReference(type, call, context) {
		const describe = () => ({ kind: "reference", function: this.reader.function(call, context.symbol, context.name) })
		const form = () => this.inside(type, context, describe, () => ({ kind: "reference" }))
		if (!this.c.alias(type)) return form()
		return this.#name(`reference ${type.id}`, this.#nameOf(type) ?? context.name, (named) => {
			named.doc = this.#docsOf(type)
			named.type = form()
		})
	}

	/** reference describes an object that stays on its side. An instance of its class that crosses as data has another name. */
	#reference(type, context, members) {
		return this.#name(`reference ${type.id}`, this.#nameOf(type) ?? context.name, (named) => {
			named.doc = this.#docsOf(type)
			const describe = () => members.map((symbol) => this.#referenced(symbol, named.name))
			named.type = { kind: "reference", members: this.inside(type, context, describe, () => []) } // named by now
		})
	}

	/** referenced describes what an object behind a reference has: a method, or a property. */
	#referenced(symbol, parent) {
		const base = { name: symbol.name, doc: docs(this.c, symbol) }
		const name = parent + capital(symbol.name)
		const { parts } = this.present(this.c.typeOf(symbol))
		const [call] = parts.length === 1 ? this.c.calls(parts[0]) : []
		if (call) return { ...base, kind: "method", function: this.reader.function(call, symbol, name) }
		const form = this.result(this.c.typeOf(symbol), { symbol, name })
		const isReadOnly = this.reader.isReadOnly(symbol) || form?.kind === "stream"
		return { ...base, kind: isReadOnly ? "readonly" : "property", type: directed(this.c, symbol, form ?? { kind: "unknown" }) }
	}

	/** docsOf is the comment that a program has for a type. */
	#docsOf(type) {
		const symbol = this.c.alias(type) ?? this.c.symbol(type)
		return symbol && this.#isOwn(symbol) ? docs(this.c, symbol) : ""
	}

	#field(symbol, parent) {
		const optional = (symbol.flags & this.c.ts.SymbolFlags.Optional) !== 0
		let form = this.value(this.c.typeOf(symbol), { symbol, name: parent + capital(symbol.name), isMember: true })
		if (optional && form.kind === "nullable") form = form.elem
		return { name: symbol.name, doc: docs(this.c, symbol), type: directed(this.c, symbol, form), optional }
	}

	/** nameOf is the name that a program has given to a type, with those of type arguments behind it. */
	#nameOf(type) {
		const alias = this.c.alias(type)
		const symbol = alias ?? this.c.symbol(type)
		if (!symbol || /^__/.test(symbol.name)) return undefined
		if (!this.#isOwn(symbol) && !["Partial", "Readonly", "Required"].includes(symbol.name)) return undefined
		const args = alias ? this.c.aliasArguments(type) : this.c.arguments(type)
		const names = args.filter((arg) => !this.is(arg, this.flags.TypeParameter)).map((arg) => this.#argumentName(arg))
		return symbol.name + names.join("")
	}

	#argumentName(type) {
		const name = this.#nameOf(type)
		if (name) return name
		const isArray = this.is(type, this.flags.Object) && this.c.isArray(type)
		if (isArray) return this.#argumentName(this.c.arguments(type)[0]) + "List"
		return capital(this.c.print(type).slice(0, 40))
	}

	/** name returns the named type of key, which fill describes when it is met first. */
	#name(key, name, fill) {
		let named = this.#named.get(key)
		if (!named) {
			let unique = name
			for (let n = 2; this.#taken.has(unique); n++) unique = name + n
			this.#taken.add(unique)
			named = { name: unique, package: "" }
			this.#named.set(key, named) // before its parts, which may lead back
			fill(named)
		}
		return { kind: "named", name: named.name }
	}
}

/** docs is the comment of a symbol. */
export function docs(compiler, symbol) {
	const deprecated = compiler.tags(symbol).find((tag) => tag.name === "deprecated")
	const text = compiler.docs(symbol)
	return deprecated ? `${text}\n\nDeprecated: ${deprecated.text || "do not use it."}`.trim() : text
}

/** directive reports whether a comment has the line @kkrpc with this word. */
export const directive = (compiler, symbol, word) =>
	compiler.tags(symbol).some((tag) => tag.name === "kkrpc" && tag.text.trim().split(/\s+/).includes(word))

/** directed is a form with integers, if the comment of the symbol asks for them. */
export function directed(compiler, symbol, form) {
	if (!form || !directive(compiler, symbol, "int64")) return form
	const integers = (form) => {
		if (form.kind === "number") return { kind: "integer" }
		return form.elem ? { ...form, elem: integers(form.elem) } : form
	}
	return integers(form)
}
