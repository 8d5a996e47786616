/**
 * What does a configuration file say, and is it right?
 *
 * All mistakes are found in one go, each with its path, so that a file is mended once and not line by line. What one
 * schema sees is checked by the schema; what spans several places (names, intervals, series) is checked beside it, on
 * the same text, whether the schema is content or not.
 */
import { Data, Effect, Predicate, Result, Schema, SchemaAST, SchemaIssue } from "effect"
import { dirname } from "node:path"
import { sha256 } from "../protocol/frame/contentHash.ts"
import { Configuration } from "../protocol/Settings.ts"
import { inFile, withCalendars } from "./calendarFiles.ts"
import { findDisagreements } from "./findDisagreements.ts"
import { withListingTimes } from "./listingTimes.ts"
import type { Mistake } from "./Mistake.ts"
import { parseYaml, readYaml } from "./readYaml.ts"

/** The file can't be used. It is told everything that is wrong with it. */
export class InvalidConfiguration extends Data.TaggedError("InvalidConfiguration")<{
  readonly file: string
  readonly mistakes: ReadonlyArray<Mistake>
}> {
  override get message() {
    const lines = this.mistakes.map(({ path, problem }) => (path === "" ? problem : `${path}: ${problem}`))
    return lines.length === 1 ? `${this.file}: ${lines[0]}` : [`${this.file}:`, ...lines].join("\n  ")
  }
}

type Path = ReadonlyArray<PropertyKey>

/** The path as people write it. */
const pathText = (path: Path): string =>
  path.map((key, at) => (typeof key === "number" ? `[${key}]` : `${at === 0 ? "" : "."}${String(key)}`)).join("")

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => (Predicate.isObjectKeyword(inner) ? Reflect.get(inner, key) : undefined), value)

/** Whether the object has the literal values, such as a kind, that the schema wants of it. */
const isKindOf = (ast: SchemaAST.AST, value: unknown): boolean =>
  SchemaAST.isObjects(ast) &&
  ast.propertySignatures.every(
    ({ name, type }) => !SchemaAST.isLiteral(type) || valueAt(value, [name]) === type.literal
  )

/** What the schema says of the keys of the value at a path; undefined where it says nothing. */
const keysIn = (ast: SchemaAST.AST | undefined, path: Path, value: unknown): ReadonlyArray<string> => {
  if (ast === undefined) return []
  if (SchemaAST.isUnion(ast)) {
    return keysIn(
      ast.types.find((type) => isKindOf(type, value)),
      path,
      value
    )
  }
  const [key, ...below] = path
  const inner = valueAt(value, path.slice(0, 1))
  if (SchemaAST.isArrays(ast)) return key === undefined ? [] : keysIn(ast.rest[0] ?? ast.elements[0], below, inner)
  if (!SchemaAST.isObjects(ast)) return []
  if (key === undefined) return ast.propertySignatures.map(({ name }) => String(name))
  const field = ast.propertySignatures.find(({ name }) => name === key)
  return keysIn(field?.type ?? ast.indexSignatures[0]?.type, below, inner)
}

/** The keys that may stand in the object at a path, as the schema has them; none where any name may. */
const knownKeys = (path: Path, input: unknown): ReadonlyArray<string> => keysIn(Configuration.ast, path, input)

const problemText = (input: unknown, path: Path, message: string): string => {
  if (message === "Missing key") return "is missing"
  if (message.endsWith("excess property"))
    return `is no setting; known here: ${knownKeys(path.slice(0, -1), input).join(", ")}`
  return message.startsWith("Expected ") ? `${message}, got ${JSON.stringify(valueAt(input, path))}` : message
}

const kinds: ReadonlyArray<string> = Configuration.fields.sources.value.members.map(({ fields }) => fields.kind.literal)

/** What is wrong with a source's kind: a schema of several kinds only says that the value is none of them. */
const kindMistake = (input: unknown, path: Path): Mistake | undefined => {
  const settings = valueAt(input, path)
  if (path[0] !== "sources" || path.length !== 2 || !Predicate.isObject(settings)) return undefined
  const expected = `Expected ${kinds.map((kind) => JSON.stringify(kind)).join(" | ")}`
  const kind: unknown = Reflect.get(settings, "kind")
  const problem = kind === undefined ? `is missing. ${expected}` : `${expected}, got ${JSON.stringify(kind)}`
  return { path: pathText([...path, "kind"]), problem }
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/** What a schema finds wrong with the plain data of a configuration. */
export const mistakesOf = (issue: SchemaIssue.Issue, input: unknown): ReadonlyArray<Mistake> =>
  formatIssue(issue).issues.map(({ message, path = [] }) => {
    const keys = path.map((part) => (typeof part === "object" ? part.key : part))
    return kindMistake(input, keys) ?? { path: pathText(keys), problem: problemText(input, keys, message) }
  })

const decode = Schema.decodeUnknownResult(Configuration, { errors: "all", onExcessProperty: "error" })

/** The configuration in plain data, or all that is wrong with it; `unread` has been found before. */
const check = (
  input: unknown,
  unread: ReadonlyArray<Mistake> = []
): Result.Result<Configuration, ReadonlyArray<Mistake>> => {
  const decoded = decode(withListingTimes(input))
  const found = Result.isFailure(decoded) ? mistakesOf(decoded.failure.issue, input) : []
  const mistakes = [
    ...unread,
    // what could not be read is one mistake, not two
    ...found.filter(({ path }) => !unread.some((before) => before.path === path)),
    ...findDisagreements(input)
  ]
  return Result.isSuccess(decoded) && mistakes.length === 0 ? Result.succeed(decoded.success) : Result.fail(mistakes)
}

/** The configuration in YAML text, or all that is wrong with it. */
export const parse = (text: string): Result.Result<Configuration, ReadonlyArray<Mistake>> =>
  Result.flatMap(parseYaml(text), (input) => check(input))

/** The configuration in a file, and in those that it names. */
export const load = Effect.fnUntraced(function* (file: string) {
  const invalid = (mistakes: ReadonlyArray<Mistake>) => new InvalidConfiguration({ file, mistakes })
  const plain = yield* Effect.mapError(readYaml(file), invalid)
  const { files, input, mistakes } = yield* withCalendars(plain, dirname(file))
  const checked = Result.mapError(check(input, mistakes), (all) => invalid(all.map(inFile(files))))
  return yield* Effect.fromResult(checked)
})

/** The same data with the keys of every object in order. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (!Predicate.isObject(value)) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

/** Equal for equal configurations, however their files are laid out: SHA-256 of JSON with sorted keys, in hex. */
export const configurationHash = (configuration: Configuration): string => sha256(JSON.stringify(sorted(configuration)))
