/**
 * What does one TypeScript file say, as a tree?
 *
 * Tests about the code itself (doors, numbers, words) stand on this: each file is read and parsed once. A sample in
 * memory parses the same way, so that a rule can be shown to fail.
 */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseSync, visitorKeys, type Comment, type Node, type Program } from "oxc-parser"

/** One parsed file; `path` counts from the root of the repository, with `/` between folders. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly program: Program
  readonly comments: ReadonlyArray<Comment>
  /** Every node, parents before children. */
  readonly nodes: ReadonlyArray<Node>
  readonly parentOf: ReadonlyMap<Node, Node>
}

/** The folder that holds package.json, with a `/` at its end. */
export const repositoryRoot = fileURLToPath(new URL("../../../", import.meta.url))

/** The top-level folders whose TypeScript is held to the rules. */
export const codeFolders = [
  "protocol",
  "runtime",
  "cluster",
  "actors",
  "client",
  "bin",
  "scripts",
  "test",
  "bench",
  "examples"
] as const

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

/** The nodes directly below a node, in the order of the text. */
export const childrenOf = (node: Node): ReadonlyArray<Node> =>
  (visitorKeys[node.type] ?? []).flatMap((key) => {
    const child: unknown = Reflect.get(node, key)
    return [child].flat().filter(isNode)
  })

const collect = (program: Program): Pick<SourceFile, "nodes" | "parentOf"> => {
  const nodes: Array<Node> = []
  const parentOf = new Map<Node, Node>()
  const visit = (node: Node): void => {
    nodes.push(node)
    for (const child of childrenOf(node)) {
      parentOf.set(child, node)
      visit(child)
    }
  }
  visit(program)
  return { nodes, parentOf }
}

/** Parses one text. Throws when it is not TypeScript: no rule can be checked on it. */
export const parseSource = (path: string, text: string): SourceFile => {
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]!.message}`)
  return { path, text, program, comments, ...collect(program) }
}

/** The line, from 1, of an offset in the text. */
export const lineAt = (file: SourceFile, offset: number): number => file.text.slice(0, offset).split("\n").length

const skippedFolder = /^(\.|node_modules$|dist$|__pycache__$)/

/** Every file and folder below a folder of the repository; a folder's path ends in `/`. */
export const listPaths = (folder: string): ReadonlyArray<string> => {
  const entries = readdirSync(repositoryRoot + folder, { withFileTypes: true })
  return entries.flatMap((entry) => {
    if (!entry.isDirectory()) return [`${folder}/${entry.name}`]
    if (skippedFolder.test(entry.name)) return []
    return [`${folder}/${entry.name}/`, ...listPaths(`${folder}/${entry.name}`)]
  })
}

/** The top-level folders of a list that are there today. */
export const existingFolders = (folders: ReadonlyArray<string>): ReadonlyArray<string> => {
  const present = new Set(readdirSync(repositoryRoot))
  return folders.filter((folder) => present.has(folder))
}

/** Reads and parses every TypeScript file of the code folders. */
export const readSources = (): ReadonlyArray<SourceFile> =>
  existingFolders(codeFolders)
    .flatMap(listPaths)
    .filter((path) => /\.[cm]?tsx?$/.test(path))
    .map((path) => parseSource(path, readFileSync(repositoryRoot + path, "utf8")))
