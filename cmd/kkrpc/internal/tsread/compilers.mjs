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
		throw new Failure(`TypeScript ${typescript.version} has no API that kkrpc gen go knows; run: npm install --save-dev @typescript/typescript6`)
	}
	throw new Failure(`no TypeScript in the project of ${basename(file)}; run in its folder: npm install --save-dev typescript`)
}

/** config returns a tsconfig.json for one file, with the options of the project that it is in. */
function config(file) {
	let dir = dirname(file)
	while (!existsSync(join(dir, "tsconfig.json"))) {
		const parent = dirname(dir)
		if (parent === dir) return { path: join(dirname(file), "tsconfig.kkrpc.json"), json: { compilerOptions: { ...defaults, noEmit: true }, files: [file] } }
		dir = parent
	}
	const compilerOptions = { noEmit: true, composite: false, incremental: false, skipLibCheck: true }
	return { path: join(dir, "tsconfig.kkrpc.json"), json: { extends: "./tsconfig.json", compilerOptions, files: [file], include: [] } }
}

const isLibrary = (path) => /(^|\/)lib\.[^/]*d\.ts$|\/node_modules\/@types\/node\//.test(path)
const isOwn = (path) => !isLibrary(path) && !path.includes("/node_modules/") && !/\.d\.[cm]?ts$/.test(path) && !path.startsWith("bundled:")

function classic(ts, file) {
	const { path, json } = config(file)
	const parsed = ts.parseJsonConfigFileContent(json, ts.sys, dirname(path), undefined, path)
	const broken = parsed.errors.filter((e) => e.category === ts.DiagnosticCategory.Error)
	const program = ts.createProgram(parsed.fileNames, parsed.options)
	const checker = program.getTypeChecker()
	const files = program.getSourceFiles().filter((f) => isOwn(f.fileName))
	const problem = (d) => ({
		path: d.file?.fileName,
		...(d.file && d.file.getLineAndCharacterOfPosition(d.start)),
		text: `${ts.flattenDiagnosticMessageText(d.messageText, " ")} (TS${d.code})`
	})
	const problems = [
		...broken,
		...program.getGlobalDiagnostics(),
		...files.flatMap((f) => [...program.getSyntacticDiagnostics(f), ...program.getSemanticDiagnostics(f)])
	]
	return {
		ts,
		files,
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
		text: (node) => node.getText(),
		isLibrary: (node) => isLibrary(node.getSourceFile().fileName),
		close() {}
	}
}

function remote(ts, ast, version, file) {
	const { path, json } = config(file)
	const text = JSON.stringify(json)
	// The configuration stands in no file. All others are read from the disk.
	const api = new ts.API({
		cwd: dirname(path),
		fs: { readFile: (name) => (name === path ? text : undefined), fileExists: (name) => (name === path ? true : undefined) }
	})
	const project = api.updateSnapshot({ openProjects: [path] }).getProject(path)
	const { program, checker } = project
	const names = program.getSourceFileNames().filter(isOwn)
	const files = names.map((name) => program.getSourceFile(name))
	const node = (handle) => handle.resolve(project)
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
		...names.flatMap((name) => [...program.getSyntacticDiagnostics(name), ...program.getSemanticDiagnostics(name)])
	]
	return {
		ts: { ...ts, SyntaxKind: ast.SyntaxKind },
		files,
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
		text: (n) => fileOf(n).text.slice(start(n), n.end),
		isLibrary: (n) => isLibrary(fileOf(n).fileName),
		close: () => api.close()
	}
}
