/**
 * Which actors does a file bring?
 *
 * A module's exports are looked through for types of actors, as `defineActor` makes them, alone or in arrays. What is
 * wrong is told before anything starts.
 */
import { Data, Effect, Predicate } from "effect"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import type { ActorType } from "../runtime/Actor.ts"

/** The file brings no actors that a host could run. */
export class InvalidActors extends Data.TaggedError("InvalidActors")<{
  readonly file: string
  readonly reason: string
}> {
  override get message() {
    return `${this.file}: ${this.reason}`
  }
}

/** The product's own types, whose names nobody else's may have. */
const takenNames: ReadonlyArray<string> = ["coverage"]

const isActorType = (value: unknown): value is ActorType =>
  Predicate.isObjectKeyword(value) &&
  Predicate.hasProperty(value, "activate") &&
  typeof value.activate === "function" &&
  Predicate.hasProperty(value, "name") &&
  typeof value.name === "string" &&
  value.name !== "" &&
  Predicate.hasProperty(value, "label") &&
  typeof value.label === "string"

/** The types of actors among a module's exports; one that is exported twice counts once. */
export const actorTypesOf = (exports: Readonly<Record<string, unknown>>): ReadonlyArray<ActorType> =>
  Array.from(new Set(Object.values(exports).flat().filter(isActorType)))

const reasonOf = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : String(cause)
  return `can't be imported: ${text.split("\n", 1)[0]}`
}

const loadOne = Effect.fnUntraced(function* (file: string) {
  const exports = yield* Effect.tryPromise({
    try: (): Promise<Readonly<Record<string, unknown>>> => import(pathToFileURL(resolve(file)).href),
    catch: (cause) => new InvalidActors({ file, reason: reasonOf(cause) })
  })
  const types = actorTypesOf(exports)
  if (types.length > 0) return types.map((type) => ({ file, type }))
  const found = Object.keys(exports).join(", ")
  const reason = `exports no type of actors, as defineActor makes them: it exports ${found === "" ? "nothing" : found}`
  return yield* new InvalidActors({ file, reason })
})

/** The types of actors that the files bring, each with a name of its own. */
export const loadActors = Effect.fnUntraced(function* (files: ReadonlyArray<string>) {
  const brought = (yield* Effect.forEach(files, loadOne)).flat()
  const seen = new Map(takenNames.map((name) => [name, "Seamless itself"]))
  for (const { file, type } of brought) {
    const before = seen.get(type.name)
    if (before !== undefined) {
      const reason = `a type of actors of the name ${type.name} comes from ${before} already`
      return yield* new InvalidActors({ file, reason })
    }
    seen.set(type.name, file)
  }
  return brought.map(({ type }) => type)
})
