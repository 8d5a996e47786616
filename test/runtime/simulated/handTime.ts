/** How does a test have time in its hands? */

/** A time that passes when it is told to. */
export interface HandTime {
  readonly nowMs: () => number
  readonly schedule: (afterMs: number, run: () => void) => void
  /** The same, with what takes it back. */
  readonly after: (ms: number, run: () => void) => () => void
  /** Lets so much time pass; what is due meanwhile happens when it is due. */
  readonly pass: (ms: number) => void
}

/** A time that stands. */
export const handTime = (): HandTime => {
  let nowMs = 1_000_000
  let alarms: Array<{ readonly atMs: number; readonly run: () => void }> = []
  const after: HandTime["after"] = (ms, run) => {
    const alarm = { atMs: nowMs + ms, run }
    alarms.push(alarm)
    return () => void (alarms = alarms.filter((one) => one !== alarm))
  }
  return {
    nowMs: () => nowMs,
    schedule: (afterMs, run) => void after(afterMs, run),
    after,
    pass: (ms) => {
      const untilMs = nowMs + ms
      for (;;) {
        const [next] = alarms.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)
        if (next === undefined) break
        alarms = alarms.filter((one) => one !== next)
        nowMs = Math.max(nowMs, next.atMs)
        next.run()
      }
      nowMs = untilMs
    }
  }
}
