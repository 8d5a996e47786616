/**
 * Which words stand for a habit we don't have, and what do we write instead?
 *
 * They are looked for in the syntax tree, so a string or a name of one's own doesn't trip them; markers are looked for
 * in comments.
 */
import type { Node } from "oxc-parser"
import { at } from "../source/Finding.ts"
import type { SourceFile } from "../source/SourceFile.ts"
import { isAnyCode, isProduct, isSilent, type Rule } from "./Rule.ts"

const platform = new Set(["globalThis", "window", "self", "global"])

const isKey = (node: Node, parent: Node): boolean =>
  "key" in parent &&
  parent.key === node &&
  !("computed" in parent && parent.computed) &&
  !("shorthand" in parent && parent.shorthand)

/** Whether a node is this global: its bare name, or the name taken from globalThis. */
const isGlobal = (file: SourceFile, node: Node | undefined, name: string): boolean => {
  if (node?.type === "MemberExpression" && !node.computed) {
    return node.object.type === "Identifier" && platform.has(node.object.name) && node.property.name === name
  }
  if (node?.type !== "Identifier" || node.name !== name) return false
  const parent = file.parentOf.get(node)
  if (parent === undefined || parent.type === "ImportSpecifier") return false
  return !isKey(node, parent) && !(parent.type === "MemberExpression" && parent.property === node && !parent.computed)
}

type Matches = (file: SourceFile, node: Node) => boolean

const member =
  (object: string, property: string): Matches =>
  (file, node) => {
    if (node.type !== "MemberExpression" || !isGlobal(file, node.object, object)) return false
    const { property: last } = node
    return last.type === "Literal" ? last.value === property : last.type === "Identifier" && last.name === property
  }

const currentDate: Matches = (file, node) =>
  (node.type === "NewExpression" || node.type === "CallExpression") &&
  node.arguments.length === 0 &&
  isGlobal(file, node.callee, "Date")

const timer: Matches = (file, node) =>
  ["setTimeout", "setInterval"].some(
    (name) =>
      isGlobal(file, node, name) ||
      (node.type === "ImportSpecifier" && node.imported.type === "Identifier" && node.imported.name === name)
  )

const anyConsole: Matches = (file, node) => node.type === "MemberExpression" && isGlobal(file, node.object, "console")

const testRoots = new Set(["it", "test", "describe", "suite", "bench"])

const rootName = (node: Node): string => {
  if (node.type === "Identifier") return node.name
  if (node.type === "MemberExpression") return rootName(node.object)
  return node.type === "CallExpression" ? rootName(node.callee) : ""
}

const setAside = (node: Node): boolean =>
  node.type === "Identifier" && (node.name === "skip" || node.name === "only" || node.name === "todo")

const unrunTest: Matches = (_, node) => {
  if (node.type === "MemberExpression") return setAside(node.property) && testRoots.has(rootName(node))
  if (node.type !== "CallExpression" || !testRoots.has(rootName(node))) return false
  return node.arguments.some(
    (argument) =>
      argument.type === "ObjectExpression" &&
      argument.properties.some(
        (each) =>
          each.type === "Property" &&
          setAside(each.key) &&
          !(each.value.type === "Literal" && each.value.value === false)
      )
  )
}

const anyType: Matches = (_, node) => node.type === "TSAnyKeyword"

const thrown: Matches = (_, node) => node.type === "ThrowStatement"

interface Word {
  readonly name: string
  readonly instead: string
  readonly holdsFor: Rule["holdsFor"]
}

const inCode = ({ name, instead, holdsFor }: Word, matches: Matches): Rule => ({
  name: `no ${name}`,
  holdsFor,
  find: (file) =>
    file.nodes.filter((node) => matches(file, node)).map((node) => at(file, node, `says ${name}: ${instead}`)),
  measure: "count"
})

const inComments = ({ name, instead, holdsFor }: Word, marker: RegExp): Rule => ({
  name: `no ${name}`,
  holdsFor,
  find: (file) =>
    file.comments
      .filter(({ value }) => marker.test(value))
      .map((comment) => at(file, comment, `says ${name}: ${instead}`)),
  measure: "count"
})

/** Words that no file says, each with what to write instead. */
export const wordRules: ReadonlyArray<Rule> = [
  inCode({ name: "any", instead: "name the type, or take unknown and decode it", holdsFor: isAnyCode }, anyType),
  inCode(
    { name: "console", instead: "log with Effect and a name from protocol/Telemetry.ts", holdsFor: isSilent },
    anyConsole
  ),
  inCode({ name: "Date.now", instead: "ask Clock", holdsFor: isProduct }, member("Date", "now")),
  inCode({ name: "new Date()", instead: "ask Clock", holdsFor: isProduct }, currentDate),
  inCode({ name: "performance.now", instead: "ask Clock", holdsFor: isProduct }, member("performance", "now")),
  inCode({ name: "Math.random", instead: "ask Random", holdsFor: isProduct }, member("Math", "random")),
  inCode({ name: "setTimeout or setInterval", instead: "use Effect.sleep", holdsFor: isProduct }, timer),
  inCode({ name: "throw", instead: "fail with a tagged error", holdsFor: isProduct }, thrown),
  inCode({ name: "skipped or focused test", instead: "run it, fix it or remove it", holdsFor: isAnyCode }, unrunTest),
  inComments({ name: "unfinished marker", instead: "finish it", holdsFor: isAnyCode }, /\b(FIXME|TODO|XXX)\b/),
  inComments({ name: "silenced type error", instead: "fix the type", holdsFor: isAnyCode }, /@ts-(ignore|nocheck)\b/)
]
