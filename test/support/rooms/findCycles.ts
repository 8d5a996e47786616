/** Does anything, by however many steps, open itself? */
import { importsOf, resolveRelative } from "../source/importsOf.ts"
import type { SourceFile } from "../source/SourceFile.ts"

/** What a thing opens directly, by name. */
export type Graph = ReadonlyMap<string, ReadonlyArray<string>>

/** Cycles of a graph, each as its members in the order they open each other; an empty answer means that it has none. */
export const findCycles = (graph: Graph): ReadonlyArray<ReadonlyArray<string>> => {
  const cycles: Array<ReadonlyArray<string>> = []
  const finished = new Set<string>()
  const path: Array<string> = []
  const visit = (name: string): void => {
    if (finished.has(name)) return
    const seenAt = path.indexOf(name)
    if (seenAt >= 0) {
      cycles.push([...path.slice(seenAt), name])
      return
    }
    path.push(name)
    for (const next of graph.get(name) ?? []) visit(next)
    path.pop()
    finished.add(name)
  }
  for (const name of graph.keys()) visit(name)
  return cycles
}

const entryPoint = (specifier: string): string | undefined => {
  const [name, room = "client"] = specifier.split("/")
  return name === "seamless" ? `${room === "testing" ? "test" : room}/index.ts` : undefined
}

/** Who imports whom, types included; the package's own name means its entry points. */
export const importGraph = (files: ReadonlyArray<SourceFile>): Graph =>
  new Map(
    files.map((file) => [
      file.path,
      importsOf(file).flatMap(({ specifier }) => {
        if (specifier === undefined) return []
        return resolveRelative(file.path, specifier) ?? entryPoint(specifier) ?? []
      })
    ])
  )
