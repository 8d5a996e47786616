/**
 * What makes time pass, and whose turn is it?
 *
 * One thread, one virtual clock, one seed. What is ready now is done in an order that the seed draws; when nothing is,
 * the clock jumps to the next event. So a run is a function of its seed.
 */
import { seededNumbers } from "../support/seededOrder.ts"
import { EventQueue } from "./EventQueue.ts"

/** Where a process's turns go. */
export interface Turn {
  /** Whether it may run now; one that may not is given to `hold`. */
  readonly isReady: () => boolean
  readonly hold: (run: () => void) => void
}

/** Tasks and events of one moment before the world calls it a loop that never waits. */
const atOnceMax = 200_000

/** A world in which nothing has happened yet. */
export class World {
  nowMs = 0
  steps = 0
  readonly random: () => number
  private readonly events = new EventQueue()
  private readonly turns: Array<Turn> = []
  private readonly tasks: Array<() => void> = []

  constructor(seed: number) {
    this.random = seededNumbers(seed)
  }

  /** A whole number from 0 to below `count`. */
  pick(count: number): number {
    return Math.floor(this.random() * count)
  }

  /** A number from `least` to below `most`. */
  between(least: number, most: number): number {
    return least + this.random() * (most - least)
  }

  /** Whether something happens that does so with this probability. */
  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** Runs at a moment: for what belongs to no process. */
  at(atMs: number, run: () => void): void {
    this.events.add(atMs, run)
  }

  after(ms: number, run: () => void): void {
    this.events.add(this.nowMs + ms, run)
  }

  /** Runs as soon as it is drawn. */
  ready(turn: Turn, task: () => void): void {
    this.turns.push(turn)
    this.tasks.push(task)
  }

  /** Lets time pass until that moment, or until nothing is left to happen. */
  runUntil(untilMs: number): void {
    let atOnce = 0
    for (;;) {
      if (++atOnce > atOnceMax) throw new Error(`at ${this.nowMs} ms something runs and never waits`)
      if (this.tasks.length > 0) {
        this.runOne()
        continue
      }
      if (this.events.nextAtMs() > untilMs) break
      const event = this.events.take()
      if (event === undefined) break
      if (event.atMs > this.nowMs) {
        this.nowMs = event.atMs
        atOnce = 0
      }
      event.run()
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  private runOne(): void {
    const { tasks, turns } = this
    const chosen = tasks.length === 1 ? 0 : this.pick(tasks.length)
    const [task, turn] = [tasks[chosen]!, turns[chosen]!]
    const [lastTask, lastTurn] = [tasks.pop()!, turns.pop()!]
    if (chosen < tasks.length) {
      tasks[chosen] = lastTask
      turns[chosen] = lastTurn
    }
    this.steps += 1
    if (turn.isReady()) task()
    else turn.hold(task)
  }
}
