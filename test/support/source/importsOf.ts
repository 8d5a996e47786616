/**
 * What does a file import?
 *
 * Everything that names another module counts: static and type-only imports, re-exports, dynamic imports, types written
 * as `import("…")`, and `require`.
 */
import type { Node } from "oxc-parser"
import { lineAt, type SourceFile } from "./SourceFile.ts"

/** One mention of another module. */
export interface Import {
  readonly kind: "import" | "type" | "re-export" | "dynamic"
  /** Undefined when it is computed, so that nobody can tell what is opened. */
  readonly specifier: string | undefined
  /** The names taken; `*` for a namespace. */
  readonly names: ReadonlyArray<string>
  readonly line: number
}

type Found = Omit<Import, "line">

const literal = (node: Node | null | undefined): string | undefined => {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0)
    return node.quasis[0]!.value.cooked ?? undefined
  return undefined
}

const nameOf = (node: Node): string =>
  node.type === "Identifier" ? node.name : node.type === "Literal" ? String(node.value) : "*"

const statementImport = (node: Node): Found | undefined => {
  switch (node.type) {
    case "ImportDeclaration":
      return {
        kind: node.importKind === "type" ? "type" : "import",
        specifier: node.source.value,
        names: node.specifiers.map((each) =>
          each.type === "ImportSpecifier"
            ? nameOf(each.imported)
            : each.type === "ImportDefaultSpecifier"
              ? "default"
              : "*"
        )
      }
    case "ExportNamedDeclaration":
      if (node.source === null) return undefined
      return {
        kind: "re-export",
        specifier: node.source.value,
        names: node.specifiers.map((each) => nameOf(each.local))
      }
    case "ExportAllDeclaration":
      return { kind: "re-export", specifier: node.source.value, names: ["*"] }
    case "TSImportEqualsDeclaration":
      if (node.moduleReference.type !== "TSExternalModuleReference") return undefined
      return { kind: "import", specifier: literal(node.moduleReference.expression), names: ["*"] }
    default:
      return undefined
  }
}

const expressionImport = (node: Node): Found | undefined => {
  switch (node.type) {
    case "ImportExpression":
      return { kind: "dynamic", specifier: literal(node.source), names: ["*"] }
    case "TSImportType":
      return { kind: "type", specifier: literal(node.source), names: [] }
    case "CallExpression":
      if (node.callee.type !== "Identifier" || node.callee.name !== "require") return undefined
      return { kind: "dynamic", specifier: literal(node.arguments[0]), names: ["*"] }
    default:
      return undefined
  }
}

/** Every import of a file, in the order of the text. */
export const importsOf = (file: SourceFile): ReadonlyArray<Import> =>
  file.nodes.flatMap((node) => {
    const found = statementImport(node) ?? expressionImport(node)
    return found === undefined ? [] : [{ ...found, line: lineAt(file, node.start) }]
  })

/** The path that a relative specifier means, counted from the root; undefined for a library or a path outside. */
export const resolveRelative = (path: string, specifier: string): string | undefined => {
  if (!/^\.{1,2}(\/|$)/.test(specifier)) return undefined
  const parts = path.split("/").slice(0, -1)
  for (const part of specifier.split("/")) {
    if (part === "." || part === "") continue
    if (part !== "..") parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.join("/")
}
