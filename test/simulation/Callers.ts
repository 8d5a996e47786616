/**
 * Who asks a simulated cluster, and for what?
 *
 * Two callers with connections of their own read history as any client does and ask actors as any member does. What
 * they ask, and when, is drawn from the seed; each question and its end are written down.
 */
import { type Context, Effect, Exit, Layer } from "effect"
import * as HistoryReader from "../../client/read.ts"
import { ask, type Session } from "../../client/Session.ts"
import * as Member from "../../cluster/Member.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { MediaType } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { ActorSystem } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type { History, Operation, Word } from "./History.ts"
import * as Market from "./Market.ts"
import { Register } from "./Register.ts"
import * as SimulatedHost from "./SimulatedHost.ts"
import type { SimulatedLink } from "./SimulatedLink.ts"
import { epochMs, type SimulatedProcess } from "./SimulatedProcess.ts"
import type { World } from "./World.ts"

/** Names of the series of a run. */
export const nodes = ["sim:a", "sim:b"]
/** The interval of all of them. */
export const interval = "1m"
/** Bars of a window. */
export const windowBars = 16
/** Keys of the registers. */
const registers = ["r0", "r1", "r2", "r3", "r4", "r5"]
/** How far back history goes that is asked for, in bars. */
const historyBars = 64
const lengthBarsMax = 24

const historyEnd = Math.floor(epochMs / (Market.barMs * windowBars)) * Market.barMs * windowBars - 60 * Market.barMs
/** What is asked for of each series. */
export const wanted: Range = [historyEnd - historyBars * Market.barMs, historyEnd]

/** How long a question may take, one of these. */
export const budgetsMs = [400, 1000, 2500, 5000, 9000]

/** A caller that is connected. */
export interface Caller {
  readonly name: string
  readonly process: SimulatedProcess
  readonly link: SimulatedLink
  readonly session: Session
  /** None until its layers are built. */
  readonly system: () => Context.Context<ActorSystem> | undefined
  readonly versions: Map<string, number>
}

/** Connects a caller. */
export const connect = (name: string, surroundings: SimulatedHost.Surroundings): Caller => {
  const process = surroundings.spawn(name)
  const { link, mesh } = SimulatedHost.connect(process, surroundings)
  let system: Context.Context<ActorSystem> | undefined
  const life = Effect.gen(function* () {
    system = yield* Layer.build(Member.caller.pipe(Layer.provide(Layer.succeed(Mesh, mesh))))
    return yield* Effect.never
  })
  process.run(Effect.scoped(life))
  return {
    name,
    process,
    link,
    session: { mesh, servers: "sim", timeoutMs: 5000 },
    system: () => system,
    versions: new Map()
  }
}

/** A question: what it is, what it is about, and how it is put. */
export interface Question {
  readonly what: string
  readonly about: string
  readonly word?: Word
  readonly budgetMs: number
  /** How much longer than its budget the question may wait for its answer. */
  readonly graceMs: number
  readonly put: (id: string, untilMs: number) => Effect.Effect<unknown, unknown>
}

/** One of them. */
export const choose = <A>(world: World, items: ReadonlyArray<A>): A => items[world.pick(items.length)]!

/** How likely whole windows are asked for: other ranges take a run more for each part of a window. */
const wholeWindows = 0.6

const drawRange = (world: World): Range => {
  if (world.chance(wholeWindows)) {
    const window = world.pick(historyBars / windowBars)
    const start = wanted[0] + window * windowBars * Market.barMs
    return [start, Math.min(wanted[1], start + (1 + world.pick(2)) * windowBars * Market.barMs)]
  }
  const first = world.pick(historyBars - 1)
  const bars = 1 + world.pick(Math.min(lengthBarsMax, historyBars - first))
  const start = wanted[0] + first * Market.barMs
  return [start, start + bars * Market.barMs]
}

/** A client waits this much longer than the host has. */
export const marginMs = 1000

const aRead = (world: World, caller: Caller): Question => {
  const node = choose(world, nodes)
  const [start, end] = drawRange(world)
  const strategy = choose(world, ["seamless", "seamless", "auto_backfill", "partial_fill", "fail_fast"] as const)
  const budgetMs = choose(world, budgetsMs)
  const minVersion = world.chance(0.5) ? (caller.versions.get(node) ?? 0) : 0
  return {
    what: "read",
    about: `${node} ${start}..${end} ${strategy} from version ${minVersion}`,
    budgetMs,
    graceMs: marginMs,
    put: () =>
      HistoryReader.read(caller.session, [
        node,
        interval,
        start,
        end,
        { strategy, minVersion, sla: { totalDeadlineMs: budgetMs, onViolation: "partial" } }
      ]).pipe(
        Effect.map((result) => ({ node, range: [start, end] as const, minVersion, result })),
        Effect.tap(({ result }) =>
          Effect.sync(() => {
            if ("meta" in result) {
              caller.versions.set(node, Math.max(caller.versions.get(node) ?? 0, result.meta.coverageVersion))
            }
          })
        )
      )
  }
}

const anEnsure = (world: World, { session }: Caller): Question => {
  const nodeId = choose(world, nodes)
  const [start, end] = drawRange(world)
  const budgetMs = choose(world, budgetsMs)
  const body = { nodeId, interval, start, end, sla: { totalDeadlineMs: budgetMs, onViolation: "partial" } }
  return {
    what: "ensure",
    about: `${nodeId} ${start}..${end}`,
    budgetMs,
    graceMs: marginMs,
    put: () => ask(session, { subject: Subject.service.ensure, body, accept: MediaType.json, budgetMs })
  }
}

/** Sends to an actor on a caller's behalf, within a budget. */
export const asCaller = ({ system }: Caller, budgetMs: number, sending: Effect.Effect<unknown, unknown, ActorSystem>) =>
  Effect.suspend(() => {
    const built = system()
    if (built === undefined) return Effect.fail({ _tag: "NotConnected" })
    return sending.pipe(withBudget(budgetMs), Effect.provide(built))
  })

const asking = (world: World, caller: Caller, how: "ask" | "tell"): Question => {
  const key = choose(world, registers)
  const budgetMs = choose(world, budgetsMs)
  const register = Register.ref(key)
  const message = how === "tell" ? "append" : choose(world, ["append", "append", "append", "read", "ringLater", "pass"])
  const send = (operation: string, untilMs: number): Effect.Effect<unknown, unknown, ActorSystem> => {
    if (how === "tell") return register.tell("append", { operation, untilMs })
    if (message === "read") return register.ask("read", { operation, untilMs })
    if (message === "pass") return register.ask("pass", { operation, untilMs, to: choose(world, registers) })
    if (message === "ringLater") {
      return register.ask("ringLater", { operation, untilMs, afterMs: 100 + world.pick(6000) })
    }
    return register.ask("append", { operation, untilMs })
  }
  return {
    what: how === "tell" ? "tell" : message,
    about: key,
    budgetMs,
    graceMs: 0,
    put: (id, untilMs) => asCaller(caller, budgetMs, send(id, untilMs))
  }
}

const draw = (world: World, caller: Caller): Question => {
  const drawn = world.random()
  if (drawn < 0.1) return aRead(world, caller)
  if (drawn < 0.13) return anEnsure(world, caller)
  return asking(world, caller, drawn < 0.8 ? "ask" : "tell")
}

const hasTag = (error: unknown): error is { readonly _tag: string } =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"

const hasErrorTag = (error: unknown): error is { readonly tag: string } =>
  typeof error === "object" && error !== null && "tag" in error && typeof error.tag === "string"

const tagOf = (error: unknown): string => {
  if (hasErrorTag(error)) return error.tag
  return hasTag(error) ? error._tag : String(error)
}

/** Puts a question now, and writes down how it ends. */
export const putQuestion = (
  caller: Caller,
  id: string,
  { what, about, word, budgetMs, graceMs, put }: Question,
  history: History
) => {
  const { process } = caller
  const { world } = process
  const operation: Operation = {
    client: caller.name,
    id,
    what,
    about,
    word,
    invokedAtMs: world.nowMs,
    untilMs: world.nowMs + budgetMs + graceMs,
    completedAtMs: Infinity,
    outcome: "open",
    answer: undefined
  }
  history.operations.push(operation)
  history.note(caller.name, `${what} ${id}`, () => `${about}, ${budgetMs} ms`)
  process.run(put(id, world.nowMs + budgetMs), (exit) => {
    operation.completedAtMs = world.nowMs
    if (Exit.isSuccess(exit)) {
      operation.outcome = "ok"
      operation.answer = exit.value
    } else {
      const [reason] = exit.cause.reasons
      operation.outcome = reason?._tag === "Fail" ? tagOf(reason.error) : `defect ${String(exit.cause)}`
    }
    history.note(
      caller.name,
      `${what} ${id} ended ${operation.outcome}`,
      () => `${operation.outcome} after ${world.nowMs - operation.invokedAtMs} ms`
    )
  })
}

/** Puts so many questions between two moments, by all callers. */
export const load = (
  callers: ReadonlyArray<Caller>,
  history: History,
  { count, fromMs, toMs }: { readonly count: number; readonly fromMs: number; readonly toMs: number }
): void => {
  for (let number = 0; number < count; number++) {
    const caller = callers[number % callers.length]!
    const { world } = caller.process
    world.at(world.between(fromMs, toMs), () => putQuestion(caller, `op${number}`, draw(world, caller), history))
  }
}

/** Reads all of each series, as the last thing of a run. */
export const readAll = (caller: Caller, history: History, budgetMs: number): void => {
  for (const [index, node] of nodes.entries()) {
    const question: Question = {
      what: "read",
      about: `${node} all of it`,
      budgetMs,
      graceMs: marginMs,
      put: () =>
        HistoryReader.read(caller.session, [node, interval, ...wanted, { sla: { totalDeadlineMs: budgetMs } }]).pipe(
          Effect.map((result) => ({ node, range: wanted, minVersion: 0, result }))
        )
    }
    putQuestion(caller, `last${index}`, question, history)
  }
  for (const key of registers) {
    const question: Question = {
      what: "read",
      about: key,
      budgetMs,
      graceMs: 0,
      put: (id, untilMs) => asCaller(caller, budgetMs, Register.ref(key).ask("read", { operation: id, untilMs }))
    }
    putQuestion(caller, `last ${key}`, question, history)
  }
}
