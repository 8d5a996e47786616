/**
 * What is a process, where all processes are one?
 *
 * Its fibers run on a scheduler and a clock of its own. So it can be killed between any two steps, with nothing cleaned
 * up; frozen and thawed, with all that came meanwhile coming at once; and its wall clock can be wrong. Its monotonic
 * clock only ever counts.
 */
import {
  Clock,
  Context,
  Duration,
  Effect,
  type Exit,
  type Fiber,
  type Logger,
  Random,
  References,
  Scheduler
} from "effect"
import * as Invariants from "../../runtime/Invariants.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import type { Turn, World } from "./World.ts"

/** When the virtual world begins, in epoch milliseconds. */
export const epochMs = 1_700_000_000_000

/** How a process is. */
type Condition = "running" | "frozen" | "dead"

/** A process of the simulation. */
export class SimulatedProcess implements Turn {
  condition: Condition = "running"
  /** How wrong its wall clock is, in milliseconds. */
  skewMs = 0
  private held: Array<() => void> = []
  readonly world: World
  readonly name: string
  private readonly context: Context.Context<never>

  constructor(world: World, name: string, logger: Logger.Logger<unknown, void> | undefined) {
    this.world = world
    this.name = name
    this.context = Context.empty().pipe(
      Context.add(Scheduler.Scheduler, this.scheduler()),
      // nothing here runs for long, and to ask after each operation takes as long as the operation
      Context.add(Scheduler.PreventSchedulerYield, true),
      Context.add(Clock.Clock, this.clock()),
      Context.add(Random.Random, seededRandom(world)),
      // what a process has counted is its own, and gone with it
      Context.add(Invariants.Invariants, Invariants.make()),
      Context.add(References.TracerEnabled, false),
      Context.add(References.CurrentLoggers, new Set(logger === undefined ? [] : [logger])),
      Context.add(References.MinimumLogLevel, logger === undefined ? "None" : "Debug")
    )
  }

  isReady(): boolean {
    return this.condition === "running"
  }

  hold(run: () => void): void {
    if (this.condition === "frozen") this.held.push(run)
  }

  /** Ends it as a `kill -9` does. */
  kill(): void {
    this.condition = "dead"
    this.held = []
  }

  freeze(): void {
    if (this.condition === "running") this.condition = "frozen"
  }

  /** Goes on; what was due or came meanwhile does so now, in its order. */
  thaw(): void {
    if (this.condition !== "frozen") return
    this.condition = "running"
    const held = this.held
    this.held = []
    // as events, which keep their order
    for (const run of held) this.world.after(0, () => this.enter(run))
  }

  /** Runs now, or when the process goes on; never where it is dead. */
  enter(run: () => void): void {
    if (this.condition === "running") run()
    else this.hold(run)
  }

  /**
   * Runs once after so long on the process's own timers, which count whole milliseconds and one at least, as those of
   * the platform do; gives what takes that back.
   */
  after(ms: number, run: () => void): () => void {
    let isCancelled = false
    const due = (): void => {
      if (!isCancelled) run()
    }
    this.world.after(Math.max(1, Math.trunc(ms)), () => {
      if (!isCancelled) this.enter(due)
    })
    return () => {
      isCancelled = true
    }
  }

  /** Starts an effect in the process, at once where it runs; tells how it ended, unless the process died. */
  run<A, E>(effect: Effect.Effect<A, E>, onExit?: (exit: Exit.Exit<A, E>) => void): Fiber.Fiber<A, E> {
    const goesOn = Effect.callback<void>((resume) => this.hold(() => resume(Effect.void)))
    const fiber = Effect.runForkWith(this.context)(this.isReady() ? effect : Effect.andThen(goesOn, effect))
    if (onExit !== undefined) fiber.addObserver(onExit)
    return fiber
  }

  private scheduler(): Scheduler.Scheduler {
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (task) => this.world.ready(this, task),
      flush: () => undefined
    }
    return {
      executionMode: "async",
      shouldYield: () => false,
      makeDispatcher: () => dispatcher
    }
  }

  private clock(): Clock.Clock {
    const wallMs = (): number => Math.floor(epochMs + this.world.nowMs + this.skewMs)
    const wallNanos = (): bigint => BigInt(wallMs()) * 1_000_000n
    const monotonicNanos = (): bigint => BigInt(Math.round(this.world.nowMs * 1e6))
    return {
      currentTimeMillisUnsafe: wallMs,
      currentTimeMillis: Effect.sync(wallMs),
      currentTimeNanosUnsafe: wallNanos,
      currentTimeNanos: Effect.sync(wallNanos),
      monotonicTimeNanosUnsafe: monotonicNanos,
      monotonicTimeNanos: Effect.sync(monotonicNanos),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          const ms = Duration.toMillis(duration)
          if (!Number.isFinite(ms)) return undefined
          return Effect.sync(this.after(ms, () => resume(Effect.void)))
        })
    }
  }
}

const seededRandom = (world: World) => {
  const next = seededNumbers(world.pick(2 ** 32))
  return {
    nextDoubleUnsafe: next,
    nextIntUnsafe: () => Math.floor((next() - 0.5) * 2 * Number.MAX_SAFE_INTEGER)
  }
}
