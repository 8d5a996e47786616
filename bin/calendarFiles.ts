/**
 * Which calendars does a configuration mean?
 *
 * They are declared in it, whole or by the path of a file, or come with the product and are only named. What is in a
 * file takes the place of its path, so that the configuration has all that hosts must have in common.
 */
import { Effect, Predicate, Result } from "effect"
import { readdirSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import { fileURLToPath } from "node:url"
import { alwaysOpen } from "../protocol/CalendarSettings.ts"
import type { Mistake } from "./Mistake.ts"
import { readYaml } from "./readYaml.ts"

const ending = ".yaml"

// by the package's own name, which is the same place from the source and from a build
const shippedFolder = (): string =>
  fileURLToPath(new URL("deploy/calendars/", import.meta.resolve("seamless/package.json")))

/** The calendars that come with the product, by name. */
export const shippedCalendars = (): ReadonlyMap<string, string> => {
  const folder = shippedFolder()
  const files = Result.try(() => readdirSync(folder))
  const names = Result.getOrElse(files, (): Array<string> => []).filter((name) => name.endsWith(ending))
  return new Map(names.toSorted().map((name) => [name.slice(0, -ending.length), join(folder, name)]))
}

const fieldOf = (value: unknown, key: string): unknown => (Predicate.hasProperty(value, key) ? value[key] : undefined)

const declaredIn = (input: unknown): object => {
  const declared = fieldOf(input, "calendars")
  return Predicate.isObject(declared) ? declared : {}
}

/** The calendars that series name, each with its path; a name that is no text the schema refuses. */
const namedIn = (input: unknown): ReadonlyArray<readonly [path: string, name: string]> => {
  const series = fieldOf(input, "series")
  return (Array.isArray(series) ? series : []).flatMap((kept: unknown, at) => {
    const name = fieldOf(kept, "calendar")
    return typeof name === "string" && name !== "" ? [[`series[${at}].calendar`, name] as const] : []
  })
}

/** The names of series' calendars that are none. */
export const checkCalendars = (input: unknown): ReadonlyArray<Mistake> => {
  const known = new Set([alwaysOpen, ...Object.keys(declaredIn(input))])
  const there = Array.from(new Set([...known, ...shippedCalendars().keys()])).join(", ")
  const own = Object.hasOwn(declaredIn(input), alwaysOpen)
    ? [{ path: `calendars.${alwaysOpen}`, problem: "is the calendar of markets that never close: take another name" }]
    : []
  const unknown = namedIn(input)
    .filter(([, name]) => !known.has(name))
    .map(([path, name]) => ({ path, problem: `${JSON.stringify(name)} is no calendar; there is ${there}` }))
  return [...own, ...unknown]
}

/** A configuration in plain data, with what was found in other files. */
export interface WithCalendars {
  readonly input: unknown
  /** Why files can't be read, each with the path at which it is named. */
  readonly mistakes: ReadonlyArray<Mistake>
  /** The file of each calendar that was read from one. */
  readonly files: ReadonlyMap<string, string>
}

/** The plain data with the contents of calendars in the place of their files; paths are seen from the folder. */
export const withCalendars = Effect.fnUntraced(function* (input: unknown, folder: string) {
  const declared = declaredIn(input)
  const files = new Map<string, string>()
  for (const [name, value] of Object.entries(declared)) {
    if (typeof value === "string") files.set(name, isAbsolute(value) ? value : join(folder, value))
  }
  const shipped = shippedCalendars()
  for (const [, name] of namedIn(input)) {
    const file = shipped.get(name)
    if (file !== undefined && !Object.hasOwn(declared, name)) files.set(name, file)
  }
  const mistakes: Array<Mistake> = []
  const contents: Record<string, unknown> = { ...declared }
  for (const [name, file] of files) {
    const read = yield* Effect.result(readYaml(file))
    if (Result.isSuccess(read)) contents[name] = read.success
    else {
      for (const { path, problem } of read.failure) {
        mistakes.push({
          path: `calendars.${name}`,
          problem: `${file}: ${path === "" ? problem : `${path}: ${problem}`}`
        })
      }
    }
  }
  const given = Predicate.isObject(input) && files.size > 0 ? { ...input, calendars: contents } : input
  return { input: given, mistakes, files } satisfies WithCalendars
})

/** The mistake with the file that it is in, where that is a calendar's own. */
export const inFile =
  (files: ReadonlyMap<string, string>) =>
  ({ path, problem }: Mistake): Mistake => {
    const found = Array.from(files).find(([name]) => path.startsWith(`calendars.${name}.`))
    return { path, problem: found === undefined ? problem : `${problem} (in ${found[1]})` }
  }
