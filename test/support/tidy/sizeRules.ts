/**
 * Is each piece small enough to read?
 *
 * Lines, columns, functions, parameters and nesting. Depth and parameters are counted as the linter does, so that the
 * two agree; types of functions count too, since a contract is read more often than its answers.
 */
import type { Node } from "oxc-parser"
import { at, type Finding } from "../source/Finding.ts"
import { childrenOf, lineAt, type SourceFile } from "../source/SourceFile.ts"
import { isAnyCode, isProduct, type Rule } from "./Rule.ts"

const linesMax = 500
const functionLinesMax = 70
const paramsMax = 4
const nestingMax = 3
const columnsMax = 120

const linesOf = (file: SourceFile): ReadonlyArray<string> => file.text.replace(/\n$/, "").split("\n")

const findLongFile = (file: SourceFile): ReadonlyArray<Finding> => {
  const size = linesOf(file).length
  if (size <= linesMax) return []
  return [at(file, { start: 0 }, `has ${size} lines, at most ${linesMax}: find its second subject`, size)]
}

const findWideLines = (file: SourceFile): ReadonlyArray<Finding> =>
  linesOf(file).flatMap((text, index) => {
    const size = text.length
    if (size <= columnsMax) return []
    return [{ file: file.path, line: index + 1, size, message: `has ${size} columns, at most ${columnsMax}` }]
  })

const isFunction = (node: Node): boolean =>
  node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression"

const findLongFunctions = (file: SourceFile): ReadonlyArray<Finding> =>
  file.nodes.filter(isFunction).flatMap((node) => {
    const size = lineAt(file, node.end) - lineAt(file, node.start) + 1
    if (size <= functionLinesMax) return []
    return [at(file, node, `is a function of ${size} lines, at most ${functionLinesMax}`, size)]
  })

const paramsOf = (node: Node): number => {
  if (!("params" in node) || !Array.isArray(node.params)) return 0
  // type parameters also sit under `params` in the tree
  return node.type === "TSTypeParameterDeclaration" || node.type === "TSTypeParameterInstantiation"
    ? 0
    : node.params.filter((param) => !(param.type === "Identifier" && param.name === "this")).length
}

const findManyParams = (file: SourceFile): ReadonlyArray<Finding> =>
  file.nodes.flatMap((node) => {
    const size = paramsOf(node)
    if (size <= paramsMax) return []
    return [at(file, node, `takes ${size} parameters, at most ${paramsMax}: use an options object`, size)]
  })

const nests = (node: Node, parent: Node | undefined): boolean => {
  if (node.type === "IfStatement") return !(parent?.type === "IfStatement" && parent.alternate === node)
  return /^(SwitchStatement|TryStatement|WithStatement|(For|ForIn|ForOf|While|DoWhile)Statement)$/.test(node.type)
}

const findDeepNesting = (file: SourceFile): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const visit = (node: Node, depthAbove: number): void => {
    const start = isFunction(node) || node.type === "StaticBlock" ? 0 : depthAbove
    const depth = nests(node, file.parentOf.get(node)) ? start + 1 : start
    if (depth > nestingMax && depth > start) {
      findings.push(at(file, node, `nests ${depth} deep, at most ${nestingMax}: name the inner part`, depth))
    }
    for (const child of childrenOf(node)) visit(child, depth)
  }
  visit(file.program, 0)
  return findings
}

/** The numbers that are about size. */
export const sizeRules: ReadonlyArray<Rule> = [
  { name: "a file has at most 500 lines", holdsFor: isAnyCode, find: findLongFile, measure: "largest" },
  { name: "a line has at most 120 columns", holdsFor: isProduct, find: findWideLines, measure: "largest" },
  {
    name: "a function has at most 70 lines",
    holdsFor: (path) => !/^(test|bench)\//.test(path),
    find: findLongFunctions,
    measure: "largest"
  },
  { name: "a function takes at most 4 parameters", holdsFor: isAnyCode, find: findManyParams, measure: "largest" },
  { name: "code nests at most 3 deep", holdsFor: isAnyCode, find: findDeepNesting, measure: "largest" }
]
