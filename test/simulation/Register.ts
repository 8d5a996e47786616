/**
 * Which actor do the callers of a simulated cluster ask?
 *
 * One that remembers each operation that took effect, in its order, and each timer that fired. So what became of every
 * message can be told from its state.
 */
import { Schema } from "effect"
import { type DefinedActor, defineActor } from "../../runtime/defineActor.ts"

const State = Schema.Struct({
  /** The operations that took effect, in their order. */
  done: Schema.Array(Schema.String),
  /** The timers that took effect, in their order. */
  rung: Schema.Array(Schema.String)
})
/** What a register remembers. */
export type State = typeof State.Type

/** What is told of each step that is taken: by which operation, and until when it could be begun. */
export interface StepTaken {
  readonly key: string
  readonly operation: string
  readonly untilMs: number
}

let observe: (step: StepTaken) => void = () => undefined

/** Has each step told from now on: of the run that is under way. */
export const observeSteps = (observer: (step: StepTaken) => void): void => {
  observe = observer
}

const Operation = { operation: Schema.String, untilMs: Schema.Finite }

const messages = {
  append: { payload: Schema.Struct(Operation), reply: Schema.Struct({ place: Schema.Int }) },
  read: { payload: Schema.Struct(Operation), reply: State, readOnly: true },
  ringLater: { payload: Schema.Struct({ ...Operation, afterMs: Schema.Int }), reply: Schema.Null },
  ring: { payload: Schema.Struct({ timer: Schema.String }) },
  pass: { payload: Schema.Struct({ ...Operation, to: Schema.String }), reply: Schema.Null },
  passed: { payload: Schema.Struct({ operation: Schema.String }) }
} as const

/** The registers of a run. */
export const Register: DefinedActor<typeof messages> = defineActor({
  type: "register",
  label: "sim",
  state: State,
  initial: { done: [], rung: [] },
  messages,
  step: {
    append: ({ done, rung }, { operation, untilMs }, { key }) => {
      observe({ key, operation, untilMs })
      return { state: { done: [...done, operation], rung }, reply: { place: done.length } }
    },
    read: (state, { operation, untilMs }, { key }) => {
      observe({ key, operation, untilMs })
      return { reply: state }
    },
    ringLater: ({ done, rung }, { afterMs, operation, untilMs }, { key, setTimer }) => {
      observe({ key, operation, untilMs })
      const timer = { afterMs, message: "ring", payload: { timer: operation } } as const
      return { state: { done: [...done, operation], rung }, reply: null, actions: [setTimer(operation, timer)] }
    },
    ring: ({ done, rung }, { timer }) => ({ state: { done, rung: [...rung, timer] } }),
    pass: ({ done, rung }, { operation, to, untilMs }, { key }) => {
      observe({ key, operation, untilMs })
      const state = { done: [...done, operation], rung }
      return { state, reply: null, actions: [Register.ref(to).send("passed", { operation: `${operation} passed` })] }
    },
    passed: ({ done, rung }, { operation }) => ({ state: { done: [...done, operation], rung } })
  },
  // as many as a run has operations: what is sent again is always known
  ledger: { operationsMax: 400, keepMs: 120_000 }
})
