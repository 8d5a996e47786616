/**
 * How busy is an actor?
 *
 * Counted in windows of some seconds, the one that runs and the one before it, so that a report tells of lately and
 * costs nothing to keep: a count and a histogram of fixed size, without an object a message.
 */

const windowMs = 5000
// a bucket's upper bound is 1.5 times the one before, from 0.05 ms: 46 of them reach beyond an hour
const bucketCount = 46
const firstBoundMs = 0.05
const growth = 1.5

/** What is known of one actor's messages. Times are milliseconds of the monotonic clock. */
export interface ActorFigures {
  readonly count: (nowMs: number, tookMs: number) => void
  /** Messages a second. */
  readonly rate: (nowMs: number) => number
  /** The upper bound of the bucket that holds the 99th percentile; 0 without messages. */
  readonly p99Ms: (nowMs: number) => number
  readonly messages: () => number
}

const bucketOf = (tookMs: number): number =>
  tookMs <= firstBoundMs ? 0 : Math.min(bucketCount - 1, Math.ceil(Math.log(tookMs / firstBoundMs) / Math.log(growth)))

const boundOf = (bucket: number): number => firstBoundMs * growth ** bucket

/** Figures from now on. */
export const make = (startMs: number): ActorFigures => {
  let windowStartMs = startMs
  let current = new Uint16Array(bucketCount)
  let before = new Uint16Array(bucketCount)
  let currentCount = 0
  let beforeCount = 0
  let messages = 0

  const turn = (nowMs: number): void => {
    if (nowMs - windowStartMs < windowMs) return
    const isNext = nowMs - windowStartMs < 2 * windowMs
    const spare = before
    before = isNext ? current : spare.fill(0)
    beforeCount = isNext ? currentCount : 0
    current = isNext ? spare.fill(0) : current.fill(0)
    currentCount = 0
    windowStartMs = isNext ? windowStartMs + windowMs : nowMs
  }

  const p99Ms = (nowMs: number): number => {
    turn(nowMs)
    const above = Math.floor((currentCount + beforeCount) * 0.01)
    let seen = 0
    for (let bucket = bucketCount - 1; bucket >= 0; bucket--) {
      seen += current[bucket]! + before[bucket]!
      if (seen > above) return boundOf(bucket)
    }
    return 0
  }
  return {
    count: (nowMs, tookMs) => {
      turn(nowMs)
      const bucket = bucketOf(tookMs)
      // a full bucket stays full: 65,535 in five seconds are enough to know it by
      if (current[bucket]! < 0xffff) current[bucket]! += 1
      currentCount += 1
      messages += 1
    },
    rate: (nowMs) => {
      turn(nowMs)
      const elapsedMs = nowMs - windowStartMs
      const seconds = (beforeCount > 0 ? windowMs + elapsedMs : Math.max(1000, elapsedMs)) / 1000
      return (currentCount + beforeCount) / seconds
    },
    p99Ms,
    messages: () => messages
  }
}
