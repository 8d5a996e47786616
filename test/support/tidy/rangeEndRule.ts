/**
 * Does only the range algebra compare the ends of ranges?
 *
 * A comparison of two ends is a piece of range algebra written by hand, and the second copy of it will disagree with
 * the first. One end against a plain time (is this row inside?) is nobody's copy, so it passes.
 */
import type { Node } from "oxc-parser"
import { at, type Finding } from "../source/Finding.ts"
import type { SourceFile } from "../source/SourceFile.ts"
import { isProduct, type Rule } from "./Rule.ts"

const endName = /^((window|range)(Start|End)|(start|end)(Ms)?)$/

const comparisons = new Set(["<", "<=", ">", ">="])

const finalName = (node: Node): string => {
  switch (node.type) {
    case "Identifier":
      return node.name
    case "MemberExpression":
      if (!node.computed) return finalName(node.property)
      return node.property.type === "Literal" ? String(node.property.value) : ""
    case "ParenthesizedExpression":
    case "ChainExpression":
    case "TSNonNullExpression":
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return finalName(node.expression)
    default:
      return ""
  }
}

const ends = (nodes: ReadonlyArray<Node>): ReadonlyArray<"start" | "end"> =>
  nodes
    .map(finalName)
    .filter((name) => endName.test(name))
    .map((name) => (/start/i.test(name) ? "start" : "end"))

const insteadOfComparing = ([left, right]: ReadonlyArray<"start" | "end">): string =>
  left === right
    ? "RangeSet.contains tells whether one lies inside the other"
    : "RangeSet.intersect tells whether they overlap, RangeSet.of drops what is empty"

const insteadOfPicking = (method: string, picked: ReadonlyArray<"start" | "end">): string => {
  const inner = method === "max" ? "start" : "end"
  if (picked.every((each) => each === inner)) return "RangeSet.intersect gives the part in both"
  if (picked.every((each) => each !== inner)) return "RangeSet.union gives the time in either"
  return "RangeSet.subtract gives what is left"
}

const replacement = (node: Node): string | undefined => {
  if (node.type === "BinaryExpression" && comparisons.has(node.operator)) {
    const pair = ends([node.left, node.right])
    return pair.length === 2 ? insteadOfComparing(pair) : undefined
  }
  if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return undefined
  if (finalName(node.callee.object) !== "Math") return undefined
  const method = finalName(node.callee)
  const picked = ends(node.arguments)
  return (method === "max" || method === "min") && picked.length > 1 ? insteadOfPicking(method, picked) : undefined
}

const findComparedEnds = (file: SourceFile): ReadonlyArray<Finding> =>
  file.nodes.flatMap((node) => {
    const instead = replacement(node)
    return instead === undefined ? [] : [at(file, node, `compares two range ends: ${instead}`)]
  })

/** Two range ends are compared in the range algebra only. */
export const rangeEndRule: Rule = {
  name: "only the range algebra compares range ends",
  holdsFor: (path) => isProduct(path) && !/^protocol\/history\/Range\w*\.ts$/.test(path),
  find: findComparedEnds,
  measure: "count"
}
