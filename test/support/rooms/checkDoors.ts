/**
 * Does a file keep to the doors?
 *
 * One function a claim; each takes parsed files and gives what breaks the claim, so a test is one line and a sample in
 * memory proves that the claim can fail.
 */
import type { Finding } from "../source/Finding.ts"
import { importsOf, resolveRelative, type Import } from "../source/importsOf.ts"
import type { SourceFile } from "../source/SourceFile.ts"
import { barrels, mayOpen, outsiders, roomOf, rowOf } from "./Doors.ts"
import { libraries, mayUse, mayUseUnlisted, type Library } from "./Libraries.ts"

/** A claim about imports: what breaks it in these files. */
export type Check = (files: ReadonlyArray<SourceFile>) => ReadonlyArray<Finding>

const ownName = /^seamless(\/|$)/

const isRelative = (specifier: string): boolean => /^\.{1,2}(\/|$)/.test(specifier)

const eachImport =
  (judge: (path: string, one: Import) => string | undefined): Check =>
  (files) =>
    files.flatMap((file) =>
      importsOf(file).flatMap((one) => {
        const message = judge(file.path, one)
        return message === undefined ? [] : [{ file: file.path, line: one.line, size: 1, message }]
      })
    )

const shown = ({ kind, specifier }: Import): string => `"${specifier ?? "(computed)"}" (${kind})`

const eachTarget = (judge: (path: string, target: string, one: Import) => string | undefined): Check =>
  eachImport((path, one) => {
    if (one.specifier === undefined || !isRelative(one.specifier)) return undefined
    return judge(path, resolveRelative(path, one.specifier) ?? "(outside the repository)", one)
  })

const areActors = (from: string | undefined, to: string | undefined): boolean =>
  from !== undefined && to !== undefined && rowOf(from)?.name === "actors/*" && rowOf(to)?.name === "actors/*"

/** Every file is in a room of the table. */
export const checkPlaces: Check = (files) =>
  files
    .filter(({ path }) => roomOf(path) === undefined)
    .map(({ path }) => ({ file: path, line: 1, size: 1, message: "is in no room of the doors table" }))

/** The files of one row open only what the row allows; actors opening actors and barrels have claims of their own. */
export const checkRoom = (row: string): Check =>
  eachTarget((path, target, one) => {
    const [from, to] = [roomOf(path), roomOf(target)]
    if (from === undefined || rowOf(from)!.name !== row || barrels.includes(target)) return undefined
    if (mayOpen(path, target) || (from !== to && areActors(from, to))) return undefined
    // only tests look at the files beside the rooms
    if (to === undefined && row === "test" && target !== "(outside the repository)") return undefined
    const opens = rowOf(from)!.opens
    return `imports ${shown(one)}: ${from} may open ${opens.length === 0 ? "no other room" : opens.join(", ")}`
  })

/** No actor opens another actor. */
export const checkActors: Check = eachTarget((path, target, one) => {
  const [from, to] = [roomOf(path), roomOf(target)]
  if (from === to || !areActors(from, to)) return undefined
  return `imports ${shown(one)}: an actor never opens another actor; speak with protocol/messages`
})

/** No code inside imports a barrel, by path or by the package's own name. */
export const checkBarrels: Check = eachImport((path, one) => {
  const { specifier } = one
  if (specifier === undefined) return undefined
  const outside = outsiders.includes(roomOf(path) ?? "")
  if (ownName.test(specifier))
    return outside ? undefined : `imports ${shown(one)}: only outsiders use the package's name`
  const target = resolveRelative(path, specifier)
  if (target === undefined) return undefined
  if (!barrels.includes(target) && !/(^|\/)index\.[cm]?[jt]s$/.test(target)) return undefined
  return `imports ${shown(one)}: no code inside imports a barrel; name the file`
})

/** An index.ts is one of the five entry points, and holds re-exports only. */
export const checkEntryPoints: Check = (files) =>
  files
    .filter(({ path }) => path.endsWith("/index.ts"))
    .flatMap(({ path, program }) => {
      const found = (message: string): Array<Finding> => [{ file: path, line: 1, size: 1, message }]
      if (!barrels.includes(path)) return found(`is a barrel, and the only barrels are ${barrels.join(", ")}`)
      const pure = program.body.every(
        (node) =>
          node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node.source !== null)
      )
      return pure ? [] : found("holds code: an entry point only re-exports")
    })

/** A relative import ends in .ts; tools and tests may also read JSON. */
export const checkExtensions: Check = eachImport((path, one) => {
  if (one.specifier === undefined || !isRelative(one.specifier) || one.specifier.endsWith(".ts")) return undefined
  if (one.specifier.endsWith(".json") && /^(test|bench|scripts|examples)\//.test(path)) return undefined
  return `imports ${shown(one)}: a relative import ends in .ts`
})

/** The import says what it opens; hosts, tools and tests may compute it. */
export const checkComputed: Check = eachImport((path, one) => {
  if (one.specifier !== undefined || /^(bin|scripts|test|bench|examples)\//.test(path)) return undefined
  return `imports ${shown(one)}: nobody can tell which door a computed import opens`
})

const libraryOf = (specifier: string): Library | undefined => libraries.find(({ matches }) => matches(specifier))

/** One library of the table is opened only where the table says. */
export const checkLibrary = (library: Library): Check =>
  eachImport((path, one) => {
    if (one.specifier === undefined || libraryOf(one.specifier) !== library || mayUse(path, library)) return undefined
    return `imports ${shown(one)}: ${library.name} belongs in ${library.only.join(", ") || "test/, bench/"}`
  })

/** A library without a row in the table is opened by tools and tests only. */
export const checkUnlisted: Check = eachImport((path, one) => {
  const { specifier } = one
  if (specifier === undefined || isRelative(specifier) || ownName.test(specifier)) return undefined
  if (libraryOf(specifier) !== undefined || mayUseUnlisted(path)) return undefined
  return `imports ${shown(one)}: this library has no room; give it one in the library table`
})
