/**
 * What is a set like that only grows, with a version that counts its changes?
 *
 * As coverage is seen from outside: what was added stays, a repeat changes nothing, and whoever has seen a version
 * never sees an earlier one.
 */
import type { Model } from "./Operation.ts"

/** What clients ask of the set; members are small natural numbers. */
export type GrowingSetInput =
  | { readonly _tag: "add"; readonly members: ReadonlyArray<number> }
  | { readonly _tag: "contains"; readonly member: number }

/** The version that the answer is of; a look also tells whether the member was there. */
export interface GrowingSetOutput {
  readonly version: number
  readonly contains?: boolean
}

/** The set: one bit for each member. */
export interface GrowingSet {
  readonly version: number
  readonly members: bigint
}

const bitOf = (member: number): bigint => 1n << BigInt(member)

const grown = (set: GrowingSet, added: ReadonlyArray<number>): GrowingSet => {
  const members = added.reduce((all, member) => all | bitOf(member), set.members)
  return members === set.members ? set : { version: set.version + 1, members }
}

/** A set that only grows: each addition that brings something raises the version by one. */
export const growingSetModel: Model<GrowingSet, GrowingSetInput, GrowingSetOutput> = {
  initial: { version: 0, members: 0n },
  keyOf: ({ members, version }) => `${version}:${members.toString(16)}`,
  idleStaysIdle: true,
  step: (set, input, output) => {
    const next = input._tag === "add" ? grown(set, input.members) : set
    if (output === undefined) return next
    if (output.version !== next.version) return undefined
    const isRight = input._tag === "add" || output.contains === ((set.members & bitOf(input.member)) !== 0n)
    return isRight ? next : undefined
  }
}
