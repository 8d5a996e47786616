/**
 * What did a client do, when, and what must an object be like for that to be right?
 *
 * Times are of one clock that all clients share; which unit does not matter. An operation took effect at one instant
 * between its invocation and its completion; one whose outcome nobody knows did so at any time after its invocation,
 * or never.
 */

/** What a client asked of one object, and what it was told. */
export interface Operation<Input, Output> {
  readonly client: string
  /** The object that was asked; objects are judged one by one. */
  readonly key: string
  readonly invokedAt: number
  /** Infinity where the outcome is unknown. */
  readonly completedAt: number
  readonly input: Input
  /** Undefined where the outcome is unknown. */
  readonly output: Output | undefined
}

/** An object as it would be if all its clients took turns. States are values: a step leaves the state before alone. */
export interface Model<State, Input, Output> {
  readonly initial: State
  /**
   * The state after the operation, or undefined where it can't have had that output in that state. Without an output
   * the state as it is where the operation takes effect.
   */
  readonly step: (state: State, input: Input, output: Output | undefined) => State | undefined
  /** Alike for states that nobody can ever tell apart, and for those only. */
  readonly keyOf: (state: State) => string
  /**
   * Whether what changes nothing in a state would change nothing in any later one that it fits either. It is then
   * placed as soon as it fits, and no other choice is tried there.
   */
  readonly idleStaysIdle: boolean
}

/** An operation in words, for people. */
export const show = <Input, Output>(operation: Operation<Input, Output>): string => {
  const { client, completedAt, input, invokedAt, output } = operation
  const answer = output === undefined ? "?" : JSON.stringify(output)
  return `${client} [${invokedAt}, ${completedAt}] ${JSON.stringify(input)} → ${answer}`
}
