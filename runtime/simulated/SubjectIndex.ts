/**
 * Whose pattern names a subject?
 *
 * Patterns of tokens, `*` and `>` in a tree, and what was found for a subject kept until a pattern comes or goes: a
 * subject is asked about far more often than patterns change.
 */

/** Values under patterns, and for each subject what was made of those that name it. */
export interface SubjectIndex<A, B> {
  readonly add: (pattern: string, value: A) => void
  readonly remove: (pattern: string, value: A) => void
  readonly of: (subject: string) => B
}

/** So many subjects are remembered, and then all are looked for anew. */
const rememberedMax = 20_000

interface Branch<A> {
  readonly children: Map<string, Branch<A>>
  /** Patterns that end here. */
  readonly here: Set<A>
  /** Patterns that end here with `>`. */
  readonly rest: Set<A>
}

const branch = <A>(): Branch<A> => ({ children: new Map(), here: new Set(), rest: new Set() })

const collect = <A>(from: Branch<A>, tokens: ReadonlyArray<string>, depth: number, found: Array<A>): void => {
  const token = tokens[depth]
  if (token === undefined) {
    found.push(...from.here)
    return
  }
  found.push(...from.rest)
  const exact = from.children.get(token)
  if (exact !== undefined) collect(exact, tokens, depth + 1, found)
  const any = from.children.get("*")
  if (any !== undefined) collect(any, tokens, depth + 1, found)
}

/** Where the values of a pattern are kept. */
const placeOf = <A>(root: Branch<A>, pattern: string): Set<A> => {
  let at = root
  for (const token of pattern.split(".")) {
    if (token === ">") return at.rest
    const next = at.children.get(token) ?? branch<A>()
    at.children.set(token, next)
    at = next
  }
  return at.here
}

/** An empty index; `shape` makes of what is found what the asker needs, once. */
export const make = <A, B>(shape: (found: ReadonlyArray<A>) => B): SubjectIndex<A, B> => {
  const root = branch<A>()
  const remembered = new Map<string, B>()
  return {
    add: (pattern, value) => {
      placeOf(root, pattern).add(value)
      remembered.clear()
    },
    remove: (pattern, value) => {
      placeOf(root, pattern).delete(value)
      remembered.clear()
    },
    of: (subject) => {
      const known = remembered.get(subject)
      if (known !== undefined) return known
      const found: Array<A> = []
      collect(root, subject.split("."), 0, found)
      const shaped = shape(found)
      if (remembered.size >= rememberedMax) remembered.clear()
      remembered.set(subject, shaped)
      return shaped
    }
  }
}

/** Whether a subject is a pattern that may name others. */
export const hasWildcard = (subject: string): boolean => subject.includes("*") || subject.endsWith(">")

/** What tells whether a pattern names a subject. */
export const matcher = (pattern: string): ((subject: string) => boolean) => {
  const wanted = pattern.split(".")
  const isRest = wanted.at(-1) === ">"
  const fixed = isRest ? wanted.length - 1 : wanted.length
  // what stands before the first wildcard sorts most out without taking the subject apart
  const start = wanted.findIndex((token) => token === "*" || token === ">")
  const prefix = start === -1 ? pattern : wanted.slice(0, start).join(".")
  return (subject) => {
    if (!subject.startsWith(prefix)) return false
    const tokens = subject.split(".")
    if (isRest ? tokens.length <= fixed : tokens.length !== fixed) return false
    for (let at = 0; at < fixed; at++) if (wanted[at] !== "*" && wanted[at] !== tokens[at]) return false
    return true
  }
}
