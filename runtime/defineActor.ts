/**
 * How does somebody write an actor?
 *
 * With forms and pure functions: the form of its state, the forms of its messages, and for each message a step from a
 * state to the next one, a reply, and actions. Saving, fencing, retries, timers and sending are the runtime's business.
 */
import { Duration, Predicate, type Schedule } from "effect"
import type { ActorType } from "./Actor.ts"
import { type ActorRef, refsTo } from "./ActorRef.ts"
import { activate, type Plan } from "./activateDefinition.ts"
import type { LedgerLimits } from "./Ledger.ts"
import { type AllForms, codecsOf, decoder, encoder, type Form, type Steps } from "./MessageForms.ts"

/** All there is to say about a type of actors. */
export interface Definition<State extends Form, M extends AllForms> {
  /** The name of the type. */
  readonly type: string
  readonly state: State
  /** The state of an actor that was never there before. */
  readonly initial: State["Type"] | ((key: string) => State["Type"])
  readonly messages: M
  /** Pure: by message, from a state and a payload to the next state, a reply or a failure, and actions. */
  readonly step: Steps<State["Type"], M>
  /** False: the state lives as long as the activation and is never saved. */
  readonly durable?: boolean
  /** The number of the state's form, 1 where it is absent; raise it with each change that old states don't fit. */
  readonly version?: number
  /** By the number of the form that it starts from: a stored state of that form as one of the next. */
  readonly migrations?: Readonly<Record<number, (stored: unknown) => unknown>>
  /** The label of the hosts that have its actors; the name of the type where it is absent. */
  readonly label?: string
  /** Messages that wait for one actor at most; 1,024 where it is absent. */
  readonly mailboxMax?: number
  /** An actor that got no message for so long goes to sleep; five minutes where it is absent. */
  readonly passivateAfter?: Duration.Input
  /** What the actor remembers of its last operations, so that one that is sent again takes effect once. */
  readonly ledger?: Partial<LedgerLimits>
  /** How often, and how soon, an activation that failed is started again; then the actor is left alone for 30 s. */
  readonly restart?: Schedule.Schedule<unknown>
}

/** A type of actors as its definition made it. */
export interface DefinedActor<M extends AllForms> extends ActorType {
  readonly label: string
  /** The actor of that key, wherever it lives. */
  readonly ref: (key: string) => ActorRef<M>
}

// the router sends a message again for a minute at most; of an actor that does more than two a second in all that time
// the last are known, which is what a move of its slot needs
const ledgerDefault: LedgerLimits = { operationsMax: 128, keepMs: 60_000, answerBytesMax: 64 * 1024 }

const isFunction = (initial: unknown): initial is (key: string) => unknown => typeof initial === "function"

const planOf = <State extends Form, M extends AllForms>({
  durable = true,
  initial,
  ledger,
  messages,
  migrations = {},
  state,
  step,
  type,
  version = 1
}: Definition<State, M>): Plan => {
  const steps = new Map<string, unknown>(Object.entries(step))
  return {
    type,
    codecs: codecsOf(messages),
    step: (message, ...given) => {
      const run = steps.get(message)
      return Predicate.isFunction(run) ? Reflect.apply(run, undefined, given) : undefined
    },
    encodeState: encoder(state),
    decodeState: decoder(state),
    isDurable: durable,
    initial: (key) => (isFunction(initial) ? initial(key) : initial),
    migrations: {
      version,
      steps: new Map(Object.entries(migrations).map(([from, migrate]) => [Number(from), migrate]))
    },
    // what is never saved is weighed by nobody
    ledger: { ...ledgerDefault, ...(durable ? {} : { answerBytesMax: Infinity }), ...ledger }
  }
}

/**
 * Makes a type of actors of its definition.
 *
 * @example
 * const Counter = defineActor({
 *   type: "counter",
 *   state: Schema.Struct({ count: Schema.Int }),
 *   initial: { count: 0 },
 *   messages: { add: { payload: Schema.Struct({ by: Schema.Int }), reply: Schema.Int } },
 *   step: { add: ({ count }, { by }) => ({ state: { count: count + by }, reply: count + by }) }
 * })
 */
export const defineActor = <State extends Form, const M extends AllForms>(
  definition: Definition<State, M>
): DefinedActor<M> => {
  const { label = definition.type, mailboxMax, passivateAfter, restart, type } = definition
  const plan = planOf(definition)
  return {
    name: type,
    label,
    activate: (activation) => activate(plan, activation),
    ref: refsTo<M>({ type, label, codecs: plan.codecs }),
    ...(mailboxMax === undefined ? {} : { mailboxMax }),
    ...(passivateAfter === undefined ? {} : { passivateAfter: Duration.fromInputUnsafe(passivateAfter) }),
    ...(restart === undefined ? {} : { restart })
  }
}
