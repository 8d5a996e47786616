/**
 * What is a rule of tidiness, and when is it kept?
 *
 * A rule finds what breaks it. A file that can't meet a rule today is listed with its present size in a ratchet; the
 * size may only fall, and an entry that has become too generous fails too.
 */
import { show, type Finding } from "../source/Finding.ts"
import type { SourceFile } from "../source/SourceFile.ts"

/** One rule: its name says the claim. */
export interface Rule {
  readonly name: string
  /** Which files it holds for, by path. */
  readonly holdsFor: (path: string) => boolean
  readonly find: (file: SourceFile) => ReadonlyArray<Finding>
  /** How a file's size is taken for the ratchet: the largest finding, or how many there are. */
  readonly measure: "largest" | "count"
}

/** By rule, then by file: the size that is still forgiven. */
export type Ratchet = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Rooms whose code ships. */
export const isProduct = (path: string): boolean => /^(protocol|runtime|cluster|actors|client|bin)\//.test(path)

/** Product rooms without an edge to the platform's console. */
export const isSilent = (path: string): boolean => isProduct(path) && !path.startsWith("bin/")

/** Every TypeScript file. */
export const isAnyCode = (): boolean => true

const sizeOf = (rule: Rule, findings: ReadonlyArray<Finding>): number =>
  rule.measure === "count" ? findings.length : Math.max(...findings.map(({ size }) => size))

const settleFile = (rule: Rule, path: string, findings: ReadonlyArray<Finding>, forgiven: number | undefined) => {
  const size = findings.length === 0 ? 0 : sizeOf(rule, findings)
  if (forgiven === undefined || size > forgiven) return findings.map(show)
  if (size === forgiven && size > 0) return []
  return [
    `${path} has ${size} left of "${rule.name}" where the ratchet says ${forgiven}: ${size > 0 ? `write ${size}` : "remove the entry"}`
  ]
}

/** What breaks the rule in these files beyond what the ratchet forgives, one line each; empty when the rule is kept. */
export const settle = (rule: Rule, files: ReadonlyArray<SourceFile>, ratchet: Ratchet = {}): ReadonlyArray<string> => {
  const forgiven = ratchet[rule.name] ?? {}
  const gone = Object.keys(forgiven).filter((path) => !files.some((file) => file.path === path))
  return [
    ...files
      .filter(({ path }) => rule.holdsFor(path))
      .flatMap((file) => settleFile(rule, file.path, rule.find(file), forgiven[file.path])),
    ...gone.map((path) => `${path} is gone, and still in the ratchet of "${rule.name}": remove the entry`)
  ]
}
