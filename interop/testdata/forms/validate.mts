// Reads values, one JSON object {form, value} a line, and writes what the schemas of both forms say of each: the issues of
// Standard Schema, and those of Zod.
import { readFileSync } from "node:fs"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import * as standard from "./standard.gen.ts"
import * as zod from "./zod.gen.ts"

type Schemas = Record<string, StandardSchemaV1>
const [standardSchemas, zodSchemas] = [standard as unknown as Schemas, zod as unknown as Schemas]

function issuesOf(schema: StandardSchemaV1 | undefined, value: unknown) {
	if (schema === undefined) throw new Error("there is no such schema")
	const result = schema["~standard"].validate(value)
	if (result instanceof Promise) throw new Error("it has to be synchronous")
	return (result.issues ?? []).map(({ message, path }) => ({ message, path: path ?? [] }))
}

const lines = readFileSync(process.argv[2] ?? "", "utf8").trimEnd().split("\n")
const results = lines.map((line) => {
	const { form, value } = JSON.parse(line)
	return JSON.stringify({
		standard: issuesOf(standardSchemas[form + "Schema"], value),
		zod: issuesOf(zodSchemas[form + "Schema"], value),
	})
})
process.stdout.write(results.join("\n"))
