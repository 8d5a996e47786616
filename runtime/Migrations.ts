/**
 * How does a state that an earlier build saved become one of this build?
 *
 * Forms of a state are numbered from 1. For each number there is a pure step to the next, on the stored form. A state
 * of a later number than this build knows is refused: to cut it down would lose what the later build saved.
 */
import { Result } from "effect"

/** The number of the present form, and the steps to it. */
export interface Migrations {
  readonly version: number
  /** By the number of the form that it starts from: a stored state of that form as one of the next. */
  readonly steps: ReadonlyMap<number, (stored: unknown) => unknown>
}

/** A stored state with the number of its form. */
export interface StoredState {
  readonly version: number
  readonly state: unknown
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** The stored state in the present form, or why there is none. */
export const upgrade = ({ steps, version }: Migrations, stored: StoredState): Result.Result<unknown, string> => {
  if (stored.version > version) {
    return Result.fail(`has a state of version ${stored.version}, and this build knows versions up to ${version}`)
  }
  let { state } = stored
  for (let from = stored.version; from < version; from++) {
    const step = steps.get(from)
    if (step === undefined) return Result.fail(`has a state of version ${from}, from which no migration starts`)
    const next = Result.try({ try: () => step(state), catch: reasonOf })
    if (Result.isFailure(next)) return Result.fail(`can't be migrated from version ${from}: ${next.failure}`)
    state = next.success
  }
  return Result.succeed(state)
}
