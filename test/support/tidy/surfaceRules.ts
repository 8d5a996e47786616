/**
 * Is what a file shows to others small, named and explained?
 *
 * Exports are counted by name: a schema and its type of one name are one thing, and one sentence explains both.
 */
import type { Node, Program } from "oxc-parser"
import { at, type Finding } from "../source/Finding.ts"
import type { SourceFile } from "../source/SourceFile.ts"
import { isProduct, type Rule } from "./Rule.ts"

const exportsMax = 12

type Statement = Program["body"][number]

const patternNames = (node: Node): ReadonlyArray<string> => {
  switch (node.type) {
    case "Identifier":
      return [node.name]
    case "ObjectPattern":
      return node.properties.flatMap((each) => patternNames(each.type === "Property" ? each.value : each.argument))
    case "ArrayPattern":
      return node.elements.flatMap((each) => (each === null ? [] : patternNames(each)))
    case "AssignmentPattern":
      return patternNames(node.left)
    case "RestElement":
      return patternNames(node.argument)
    default:
      return []
  }
}

const declaredNames = (node: Node): ReadonlyArray<string> => {
  if (node.type === "VariableDeclaration") return node.declarations.flatMap(({ id }) => patternNames(id))
  return "id" in node && node.id !== null && typeof node.id === "object" ? patternNames(node.id) : []
}

const exportedName = (node: Node): string => (node.type === "Identifier" ? node.name : "default")

const namesOf = (statement: Statement): ReadonlyArray<string> => {
  if (statement.type === "ExportAllDeclaration") return [statement.exported ? exportedName(statement.exported) : "*"]
  if (statement.type !== "ExportNamedDeclaration") return []
  if (statement.declaration !== null) return declaredNames(statement.declaration)
  return statement.specifiers.map(({ exported }) => exportedName(exported))
}

const findManyExports = (file: SourceFile): ReadonlyArray<Finding> => {
  const size = new Set(file.program.body.flatMap(namesOf)).size
  if (size <= exportsMax) return []
  return [at(file, { start: 0 }, `exports ${size} names, at most ${exportsMax}: split the subject`, size)]
}

const docOf = (file: SourceFile, node: Node): boolean =>
  file.comments.some(
    ({ type, value, end }) =>
      type === "Block" &&
      value.startsWith("*") &&
      /[A-Za-z]/.test(value) &&
      end <= node.start &&
      /^[^\S\n]*\n?[^\S\n]*$/.test(file.text.slice(end, node.start))
  )

const isImported = (file: SourceFile, name: string): boolean =>
  file.nodes.some(
    (node) =>
      (node.type === "ImportSpecifier" ||
        node.type === "ImportNamespaceSpecifier" ||
        node.type === "ImportDefaultSpecifier") &&
      node.local.name === name
  )

/** Local names a file gives away, each with the node that does; those that only pass through are left out. */
const ownExports = (file: SourceFile): ReadonlyArray<readonly [string, Node]> =>
  file.program.body.flatMap((statement) => {
    if (statement.type !== "ExportNamedDeclaration" || statement.source !== null) return []
    if (statement.declaration !== null)
      return declaredNames(statement.declaration).map((name) => [name, statement] as const)
    return statement.specifiers
      .map(({ local }) => [exportedName(local), statement] as const)
      .filter(([name]) => !isImported(file, name))
  })

const documentedNames = (file: SourceFile): ReadonlySet<string> =>
  new Set(
    file.program.body.flatMap((statement) => {
      if (!docOf(file, statement)) return []
      const exported = statement.type === "ExportNamedDeclaration" ? statement.declaration : null
      return declaredNames(exported ?? statement)
    })
  )

const findUndocumented = (file: SourceFile): ReadonlyArray<Finding> => {
  const documented = documentedNames(file)
  const missing = new Map(ownExports(file).filter(([name]) => !documented.has(name)))
  return [...missing].map(([name, node]) => at(file, node, `exports ${name} without a doc comment directly before it`))
}

const findUnopened = (file: SourceFile): ReadonlyArray<Finding> => {
  const text = file.text.replace(/^#!.*\n/, "").trimStart()
  if (/^\/\*\*[^/]*[A-Za-z]/.test(text)) return []
  return [at(file, { start: 0 }, "doesn't open with a doc comment: say which question the file answers")]
}

const findDefaults = (file: SourceFile): ReadonlyArray<Finding> =>
  file.program.body
    .filter(
      (node) =>
        node.type === "ExportDefaultDeclaration" ||
        node.type === "TSExportAssignment" ||
        namesOf(node).includes("default")
    )
    .map((node) => at(file, node, "exports a default: give it its name"))

/** The numbers that are about exports. */
export const surfaceRules: ReadonlyArray<Rule> = [
  {
    name: "a module exports at most 12 names",
    holdsFor: (path) => isProduct(path) && !path.endsWith("/index.ts"),
    find: findManyExports,
    measure: "largest"
  },
  { name: "every export is documented", holdsFor: isProduct, find: findUndocumented, measure: "count" },
  { name: "every file opens with a doc comment", holdsFor: isProduct, find: findUnopened, measure: "count" },
  {
    name: "no default export",
    holdsFor: (path) => !path.endsWith(".config.ts"),
    find: findDefaults,
    measure: "count"
  }
]
