/**
 * Does protocol stay free of a runtime?
 *
 * Clients and tools import protocol without running an Effect, so it uses only those modules of Effect that compute
 * values. `Effect` itself may be named in types (a client tag says what an ask gives), and as a value only inside the
 * arguments of those Schema functions that want one.
 */
import type { Node } from "oxc-parser"
import { at, type Finding } from "../source/Finding.ts"
import { importsOf, type Import } from "../source/importsOf.ts"
import type { SourceFile } from "../source/SourceFile.ts"
import type { Check } from "./checkDoors.ts"

/** Modules of Effect without fibers, services, scopes or a clock. */
const pureModules = new Set(
  `Array BigDecimal BigInt Boolean Brand ByteSize Bytes Chunk Combiner Context Data Differ Duration Encoding Equal
  Equivalence Filter Formatter Function Graph HKT Hash HashMap HashSet Inspectable Iterable JsonPatch JsonPointer
  JsonSchema Match Newtype NonEmptyIterable Number Optic Option Order Ordering Pipeable Predicate PrimaryKey Record
  Redactable Redacted Reducer RegExp Result Schema SchemaAST SchemaGetter SchemaIssue SchemaParser SchemaRepresentation
  SchemaTransformation SemVer SemVerRange StandardSchema String Struct Symbol Trie Tuple Types UndefinedOr Unify
  pipe flow identity absurd cast`.split(/\s+/)
)

/** Schema's functions whose own signatures take an Effect. */
const effectTakers =
  /^(withConstructorDefault|withDecodingDefault(Type)?(Key)?|withDefault|transform(Optional)?Effect|checkEffect|declareConstructor|catch(De|En)coding(WithContext)?|middleware(De|En)coding)$/

const modulesOf = ({ specifier, names, kind }: Import): ReadonlyArray<string> => {
  if (specifier === undefined || !/^effect(\/|$)/.test(specifier)) return []
  if (specifier === "effect") return kind === "type" && names.length === 0 ? [] : names
  const subpath = specifier.slice("effect/".length)
  return [/^encoding(\/|$)/.test(subpath) ? "Encoding" : subpath]
}

/** Files of protocol import only pure modules of Effect, and `Effect` itself. */
export const checkPureModules: Check = (files) =>
  files
    .filter(({ path }) => path.startsWith("protocol/"))
    .flatMap((file) =>
      importsOf(file).flatMap((one) =>
        modulesOf(one)
          .filter((name) => name !== "Effect" && !pureModules.has(name))
          .map((name) => ({
            file: file.path,
            line: one.line,
            size: 1,
            message: `imports ${name} from "${one.specifier}": protocol uses only effect's pure modules`
          }))
      )
    )

const isSpecifier = (node: Node): boolean => node.type === "ImportSpecifier" || node.type === "ImportNamespaceSpecifier"

const isEffectModule = (file: SourceFile, specifier: Node): boolean => {
  const parent = file.parentOf.get(specifier)
  if (parent?.type !== "ImportDeclaration") return false
  if (parent.source.value === "effect/Effect") return true
  if (parent.source.value !== "effect" || specifier.type !== "ImportSpecifier") return false
  return specifier.imported.type === "Identifier" && specifier.imported.name === "Effect"
}

const localNames = (file: SourceFile): ReadonlySet<string> =>
  new Set(
    file.nodes.flatMap((node) =>
      (node.type === "ImportSpecifier" || node.type === "ImportNamespaceSpecifier") && isEffectModule(file, node)
        ? [node.local.name]
        : []
    )
  )

const calleeName = (call: Node): string => {
  if (call.type !== "CallExpression") return ""
  const { callee } = call
  if (callee.type === "Identifier") return callee.name
  return callee.type === "MemberExpression" && callee.property.type === "Identifier" ? callee.property.name : ""
}

const typePosition = /^TS(Type(?!Assertion)|QualifiedName|InterfaceHeritage|ClassImplements)/

const isAllowed = (file: SourceFile, node: Node): boolean => {
  let child = node
  for (let parent = file.parentOf.get(child); parent !== undefined; parent = file.parentOf.get(child)) {
    if (isSpecifier(parent) || typePosition.test(parent.type)) return true
    if (parent.type === "CallExpression" && parent.callee !== child && effectTakers.test(calleeName(parent)))
      return true
    child = parent
  }
  return false
}

const isKey = (file: SourceFile, node: Node): boolean => {
  const parent = file.parentOf.get(node)
  if (parent?.type === "MemberExpression") return parent.property === node && !parent.computed
  return parent?.type === "Property" && parent.key === node && !parent.shorthand
}

const effectValues = (file: SourceFile): ReadonlyArray<Finding> => {
  const locals = localNames(file)
  return file.nodes
    .filter(
      (node) => node.type === "Identifier" && locals.has(node.name) && !isKey(file, node) && !isAllowed(file, node)
    )
    .map((node) => at(file, node, "uses Effect as a value: in protocol only a Schema function may be given one"))
}

/** In protocol, `Effect` is a type, or the argument of a Schema function that wants one. */
export const checkEffectUse: Check = (files) =>
  files.filter(({ path }) => path.startsWith("protocol/")).flatMap(effectValues)
