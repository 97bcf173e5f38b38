// Uses the schemas as forms do, for the TypeScript compiler.
import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { z } from "zod"
import * as standard from "./standard.gen.ts"
import * as zod from "./zod.gen.ts"

/** What a form library takes. */
declare function form<Output>(schema: StandardSchemaV1<unknown, Output>): Output

export const item: standard.Item = form(standard.ItemSchema)
export const tree: standard.Tree = form(standard.TreeSchema)
export const fields: StandardSchemaV1<standard.Fields> = standard.FieldsSchema
export const lists: zod.Lists = form(zod.ListsSchema)
export const inferred: zod.Fields = {} as z.infer<typeof zod.FieldsSchema>
export const input: z.input<typeof zod.ItemSchema> = { key: "a", note: "" }

const result = standard.ItemSchema["~standard"].validate({ key: "" })
export const text: string = result.issues ? result.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join() : result.value.key

// @ts-expect-error: the schema of another type
export const wrong: standard.Item = form(standard.TreeSchema)
// @ts-expect-error: not the type of a field
export const wrongField: number = form(standard.ItemSchema).key
