/**
 * What is a record like that is changed by compare-and-set?
 *
 * Each change gives it a higher revision; which one is the store's business. A change whose outcome is unknown has a
 * revision that nobody knows before somebody reads it.
 */
import type { Model } from "./Operation.ts"

/** What clients ask of a register. */
export type RegisterInput =
  | { readonly _tag: "get" }
  | { readonly _tag: "put"; readonly value: string }
  /** Replaces what has that revision, 0 for nothing. */
  | { readonly _tag: "cas"; readonly value: string; readonly expect: number }

/** What clients are told: the value with its revision, the revision of a change, or that it was refused. */
export type RegisterOutput =
  | { readonly _tag: "found"; readonly value: string | null; readonly revision: number }
  | { readonly _tag: "written"; readonly revision: number }
  | { readonly _tag: "conflict" }

/** A register: its value, and the revision, or only which one it is higher than. */
export interface Register {
  readonly value: string | null
  readonly revision: number
  readonly isExact: boolean
}

const canBe = ({ isExact, revision }: Register, read: number): boolean =>
  isExact ? read === revision : read > revision

const read = (register: Register, output: RegisterOutput | undefined): Register | undefined => {
  if (output === undefined) return register
  if (output._tag !== "found") return undefined
  const { revision, value } = output
  return value === register.value && canBe(register, revision) ? { value, revision, isExact: true } : undefined
}

/** A register as a change of what has at least this revision makes it. */
const changed = (atLeast: number, value: string, output: RegisterOutput | undefined): Register | undefined => {
  if (output === undefined) return { value, revision: atLeast, isExact: false }
  if (output._tag !== "written" || output.revision <= atLeast) return undefined
  return { value, revision: output.revision, isExact: true }
}

/** A register with revisions: get, put, and compare-and-set. */
export const registerModel: Model<Register, RegisterInput, RegisterOutput> = {
  initial: { value: null, revision: 0, isExact: true },
  keyOf: ({ isExact, revision, value }) => `${revision}${isExact ? "" : "+"}:${value ?? ""}`,
  idleStaysIdle: true,
  step: (register, input, output) => {
    switch (input._tag) {
      case "get":
        return read(register, output)
      case "put":
        return changed(register.isExact ? register.revision : register.revision + 1, input.value, output)
      case "cas":
        // a revision that nobody knows yet is hardly the expected one, but it can be
        if (output?._tag === "conflict") return register.isExact && canBe(register, input.expect) ? undefined : register
        if (canBe(register, input.expect)) return changed(input.expect, input.value, output)
        return output === undefined ? register : undefined
    }
  }
}
