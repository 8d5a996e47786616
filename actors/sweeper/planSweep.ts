/**
 * What may be deleted?
 *
 * Pure. Of what was listed before the roots were read: what none of them names, and what is so old that nobody who put
 * it can still be about to name it. It is deleted by the revision under which it was listed, so that what was put
 * afresh under the same name since then stays.
 */
import type { Named } from "../../runtime/Mesh.ts"

/** What no root may name. */
export interface Candidate extends Pick<Named, "revision" | "bytes" | "atMs"> {
  /** What roots and pages call it. */
  readonly id: string
}

/** How many, and how much. */
export interface Amount {
  readonly count: number
  readonly bytes: number
}

/** What is done about candidates. */
export interface SweepPlan {
  readonly deletions: ReadonlyArray<Candidate>
  readonly kept: Amount
  readonly young: Amount
  readonly swept: Amount
}

/** Nothing at all. */
export const nothing: Amount = { count: 0, bytes: 0 }

/** Both together. */
export const plus = (a: Amount, b: Amount): Amount => ({ count: a.count + b.count, bytes: a.bytes + b.bytes })

const amountOf = (of: ReadonlyArray<Candidate>): Amount => ({
  count: of.length,
  bytes: of.reduce((sum, { bytes }) => sum + bytes, 0)
})

/** Whether it is older than `ageMs`; what came at that very moment is not. */
export const isOld = ({ atMs }: Pick<Candidate, "atMs">, { ageMs, nowMs }: SweepMoment): boolean => nowMs - atMs > ageMs

/** When it is looked, and how old what is deleted has to be. */
export interface SweepMoment {
  readonly nowMs: number
  readonly ageMs: number
}

/** The plan for candidates, given the ids that the roots name that are kept. */
export const planSweep = (
  candidates: ReadonlyArray<Candidate>,
  named: ReadonlySet<string>,
  moment: SweepMoment
): SweepPlan => {
  const kept = candidates.filter(({ id }) => named.has(id))
  const unnamed = candidates.filter(({ id }) => !named.has(id))
  const deletions = unnamed.filter((candidate) => isOld(candidate, moment))
  const young = unnamed.filter((candidate) => !isOld(candidate, moment))
  return { deletions, kept: amountOf(kept), young: amountOf(young), swept: amountOf(deletions) }
}

/**
 * Roots of a log in their order, each with when another took its place in the stead of when it came: of the last that
 * is never, as far as is known. None goes before those that were there earlier, whatever the servers' clocks said.
 */
export const superseded = (roots: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> => {
  let atMs = -Infinity
  return roots.map((root, at) => {
    atMs = Math.max(atMs, root.atMs, roots[at + 1]?.atMs ?? Infinity)
    return { ...root, id: String(root.revision), atMs }
  })
}
