// The compiler of the project: that of TypeScript 5 and 6, which runs here, or that of 7, a process that is asked.
// Both become one object, so that the reader of types knows neither.
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"

/** Failure has lines for people. */
export class Failure extends Error {
	constructor(...lines) {
		super(lines.join("\n"))
		this.lines = lines
	}
}

/** What holds where no tsconfig.json says otherwise. */
const defaults = {
	strict: true,
	target: "ES2023",
	module: "ESNext",
	moduleResolution: "Bundler",
	allowImportingTsExtensions: true,
	skipLibCheck: true
}

/** open returns the compiler for a file, with the program that begins there. */
export async function open(file) {
	const require = createRequire(join(dirname(file), "kkrpc.cjs"))
	const found = (name) => {
		try {
			return require.resolve(name)
		} catch {
			return undefined
		}
	}
	const load = async (path) => {
		const module = await import(pathToFileURL(path).href)
		return module.default ?? module
	}
	const main = found("typescript")
	const typescript = main && (await load(main))
	if (typescript?.createProgram) return classic(typescript, file)
	const native = found("typescript/unstable/sync")
	if (native) {
		const ast = await import(pathToFileURL(found("typescript/unstable/ast")).href)
		return remote(await import(pathToFileURL(native).href), ast, typescript.version, file)
	}
	const six = found("@typescript/typescript6")
	if (six) return classic(await load(six), file)
	if (typescript) {
		const want = "run: npm install --save-dev @typescript/typescript6"
		throw new Failure(`TypeScript ${typescript.version} has no API that kkrpc gen go knows; ${want}`)
	}
	throw new Failure(`no TypeScript in the project of ${basename(file)}; run in its folder: npm install --save-dev typescript`)
}

/**
 * config returns a tsconfig.json with the options of the project that a file is in, and with the files of that project,
 * which may declare names for all. filesOf are those of the project of a path.
 */
function config(file, filesOf) {
	let dir = dirname(file)
	while (!existsSync(join(dir, "tsconfig.json"))) {
		const parent = dirname(dir)
		if (parent === dir) {
			const json = { compilerOptions: { ...defaults, noEmit: true }, files: [file] }
			return { path: join(dirname(file), "tsconfig.kkrpc.json"), json }
		}
		dir = parent
	}
	const name = file.replaceAll("\\", "/")
	let best
	for (const path of projects(join(dir, "tsconfig.json"))) {
		const project = { path, files: filesOf(path) }
		if (!best || best.files.length === 0) best = project
		if (project.files.includes(name)) {
			best = project
			break
		}
	}
	const compilerOptions = { noEmit: true, composite: false, incremental: false, tsBuildInfoFile: null, skipLibCheck: true }
	const files = [...new Set([...best.files, name])]
	return {
		path: join(dirname(best.path), "tsconfig.kkrpc.json"),
		json: { extends: "./" + basename(best.path), compilerOptions, files, include: [] }
	}
}

/** projects yields the path of a tsconfig.json, and those of the projects to which it refers. */
function* projects(path, seen = new Set()) {
	if (seen.has(path) || !existsSync(path)) return
	seen.add(path)
	yield path
	for (const reference of configuration(path).references ?? []) {
		const to = resolve(dirname(path), String(reference.path))
		yield* projects(to.endsWith(".json") ? to : join(to, "tsconfig.json"), seen)
	}
}

/** configuration reads a tsconfig.json, which may have comments. The compiler says what is wrong with one that is broken. */
function configuration(path) {
	const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "")
	const plain = text.replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[^]*?\*\//g, (all, string) => string ?? "")
	try {
		return JSON.parse(plain.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (all, string) => string ?? "")) ?? {}
	} catch {
		return {}
	}
}

/** reached are the files of the project that a file imports, with itself. follow are those that one imports. */
function reached(file, follow) {
	const files = new Set([file])
	for (const next of files) for (const other of follow(next)) files.add(other)
	return [...files]
}

/** readOnly is the flag of a symbol that Readonly or as const makes so. No compiler exports it. */
const readOnly = 8

const isNode = (path) => path.includes("/node_modules/@types/node/")
const isOwn = (path) => !path.includes("/node_modules/") && !path.startsWith("bundled:")
const isDeclaration = (path) => /\.d\.([^/]+\.)?[cm]?ts$/.test(path)

function classic(ts, file) {
	const filesOf = (path) => {
		const { config } = ts.readConfigFile(path, ts.sys.readFile)
		return ts.parseJsonConfigFileContent(config ?? {}, ts.sys, dirname(path), undefined, path).fileNames
	}
	const { path, json } = config(file, filesOf)
	const parsed = ts.parseJsonConfigFileContent(json, ts.sys, dirname(path), undefined, path)
	const broken = parsed.errors.filter((e) => e.category === ts.DiagnosticCategory.Error)
	const program = ts.createProgram(parsed.fileNames, parsed.options)
	const checker = program.getTypeChecker()
	const isLibrary = (f) => program.isSourceFileDefaultLibrary(f) || isNode(f.fileName)
	const own = program.getSourceFiles().filter((f) => isOwn(f.fileName) && !isLibrary(f))
	const files = reached(program.getSourceFile(file), (f) =>
		f.imports.flatMap((name) => checker.getSymbolAtLocation(name)?.declarations ?? []).filter((d) => own.includes(d))
	)
	const problem = (d) => ({
		path: d.file?.fileName,
		...(d.file && d.file.getLineAndCharacterOfPosition(d.start)),
		text: `${ts.flattenDiagnosticMessageText(d.messageText, " ")} (TS${d.code})`
	})
	const problems = [
		...broken,
		...program.getGlobalDiagnostics(),
		...files.filter((f) => !f.isDeclarationFile)
			.flatMap((f) => [...program.getSyntacticDiagnostics(f), ...program.getSemanticDiagnostics(f)])
	]
	return {
		ts,
		files: [...new Set([...files, ...own.filter((f) => f.isDeclarationFile)])],
		problems: problems.filter((d) => d.category === ts.DiagnosticCategory.Error).map(problem),
		strict: parsed.options.strictNullChecks ?? parsed.options.strict ?? Number(ts.versionMajorMinor) >= 6,
		exports: () => {
			const symbol = checker.getSymbolAtLocation(program.getSourceFile(file))
			return symbol ? checker.getExportsOfModule(symbol) : []
		},
		original: (s) => (s.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(s) : s),
		declarations: (s) => s.declarations ?? [],
		parent: (s) => s.parent,
		docs: (s) => ts.displayPartsToString(s.getDocumentationComment(checker)),
		tags: (s) => s.getJsDocTags(checker).map((t) => ({ name: t.name, text: ts.displayPartsToString(t.text) })),
		declaredType: (s) => checker.getDeclaredTypeOfSymbol(s),
		typeOf: (s) => checker.getTypeOfSymbol(s),
		symbol: (t) => t.getSymbol(),
		alias: (t) => t.aliasSymbol,
		aliasArguments: (t) => t.aliasTypeArguments ?? [],
		types: (t) => t.types,
		arguments: (t) => (t.objectFlags & ts.ObjectFlags.Reference ? checker.getTypeArguments(t) : []),
		constraint: (t) => checker.getBaseConstraintOfType(t),
		properties: (t) => checker.getPropertiesOfType(t),
		indexes: (t) => checker.getIndexInfosOfType(t).map((i) => i.type),
		calls: (t) => checker.getSignaturesOfType(t, ts.SignatureKind.Call),
		constructs: (t) => checker.getSignaturesOfType(t, ts.SignatureKind.Construct),
		parameters: (s) => s.getParameters(),
		result: (s) => checker.getReturnTypeOfSignature(s),
		isArray: (t) => checker.isArrayType(t),
		isTuple: (t) => checker.isTupleType(t),
		isFixed: (t) => t.target.elementFlags.every((f) => f === ts.ElementFlags.Required),
		isClass: (t) => t.isClass(),
		typeAt: (node) => checker.getTypeAtLocation(node),
		print: (t) => checker.typeToString(t),
		place: (node) => {
			const f = node.getSourceFile()
			return { path: f.fileName, ...f.getLineAndCharacterOfPosition(node.getStart()) }
		},
		isReadOnly: (s) => (ts.getCheckFlags(s) & readOnly) !== 0,
		isLibrary: (node) => isLibrary(node.getSourceFile()),
		close() {}
	}
}

function remote(ts, ast, version, file) {
	// The configuration stands in no file. All others are read from the disk.
	let path, text
	const api = new ts.API({
		cwd: dirname(file),
		fs: {
			readFile: (name) => (name === path ? text : undefined),
			fileExists: (name) => (name === path ? true : undefined)
		}
	})
	const found = config(file, (path) => api.parseConfigFile(path).fileNames)
	path = found.path
	text = JSON.stringify(found.json)
	const project = api.updateSnapshot({ openProjects: [path] }).getProject(path)
	const { program, checker } = project
	const node = (handle) => handle.resolve(project)
	const libraries = new Map()
	const isLibrary = (f) => {
		if (!libraries.has(f.fileName)) {
			libraries.set(f.fileName, program.isSourceFileDefaultLibrary(f) || isNode(f.fileName))
		}
		return libraries.get(f.fileName)
	}
	const own = program.getSourceFileNames().filter(isOwn)
	const files = reached(program.getSourceFile(file), (f) =>
		f.imports
			.flatMap((name) => checker.getSymbolAtLocation(name)?.declarations.map(node) ?? [])
			.filter((d) => d?.kind === ast.SyntaxKind.SourceFile && own.includes(d.fileName))
	)
	const names = files.map((f) => f.fileName)
	const others = own.filter((name) => isDeclaration(name) && !names.includes(name))
	const declaring = others.map((name) => program.getSourceFile(name))
	const fileOf = (n) => {
		while (n.parent) n = n.parent
		return n
	}
	const place = (f, position) => ({ path: f.fileName, ...f.getLineAndCharacterOfPosition(position) })
	const start = (n) => ast.skipTrivia(fileOf(n).text, n.pos)
	const message = (d) => [d.text, ...(d.messageChain ?? []).map(message)].join(" ")
	const problem = (d) => ({
		...(d.fileName && place(program.getSourceFile(d.fileName), d.pos)),
		text: `${message(d)} (TS${d.code})`
	})
	const problems = [
		...program.getConfigFileParsingDiagnostics(),
		...program.getGlobalDiagnostics(),
		...names.filter((name) => !isDeclaration(name))
			.flatMap((name) => [...program.getSyntacticDiagnostics(name), ...program.getSemanticDiagnostics(name)])
	]
	return {
		ts: { ...ts, SyntaxKind: ast.SyntaxKind },
		files: [...files, ...declaring.filter((f) => !isLibrary(f))],
		problems: problems.filter((d) => d.category === ts.DiagnosticCategory.Error).map(problem),
		strict: project.compilerOptions.strictNullChecks ?? project.compilerOptions.strict ?? true,
		exports: () => {
			const symbol = checker.getSymbolAtLocation(program.getSourceFile(file))
			return symbol ? checker.getExportsOfModule(symbol) : []
		},
		original: (s) => (s.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(s) : s),
		declarations: (s) => s.declarations.map(node).filter(Boolean),
		parent: (s) => s.getParent(),
		docs: (s) => s.getDocumentationComment(checker),
		tags: (s) => s.getJsDocTags(checker).map((t) => ({ name: t.name, text: t.text ?? "" })),
		declaredType: (s) => checker.getDeclaredTypeOfSymbol(s),
		typeOf: (s) => checker.getTypeOfSymbol(s),
		symbol: (t) => t.getSymbol(),
		alias: (t) => t.getAliasSymbol(),
		aliasArguments: (t) => t.getAliasTypeArguments() ?? [],
		types: (t) => t.getTypes(),
		arguments: (t) => (t.objectFlags & ts.ObjectFlags.Reference ? checker.getTypeArguments(t) : []),
		constraint: (t) => checker.getBaseConstraintOfType(t),
		properties: (t) => checker.getPropertiesOfType(t),
		indexes: (t) => checker.getIndexInfosOfType(t).map((i) => i.valueType),
		calls: (t) => checker.getSignaturesOfType(t, ts.SignatureKind.Call),
		constructs: (t) => checker.getSignaturesOfType(t, ts.SignatureKind.Construct),
		parameters: (s) => s.getParameters(),
		result: (s) => checker.getReturnTypeOfSignature(s),
		isArray: (t) => checker.isArrayType(t),
		isTuple: (t) => checker.isTupleType(t),
		isFixed: (t) => t.getTarget().elementFlags.every((f) => f === ts.ElementFlags.Required),
		isClass: (t) => Boolean(t.objectFlags & ts.ObjectFlags.Class),
		typeAt: (n) => checker.getTypeAtLocation(n),
		print: (t) => checker.typeToString(t),
		place: (n) => place(fileOf(n), start(n)),
		isReadOnly: (s) => (s.checkFlags & readOnly) !== 0,
		isLibrary: (n) => isLibrary(fileOf(n)),
		close: () => api.close()
	}
}
