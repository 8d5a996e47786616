/**
 * Since when is this host in touch with the cluster, and how steadily?
 *
 * Pure; all times are of the monotonic clock. A renewal counts from when it was sent, since the server may have had it
 * at once.
 */

/** Seconds after which a host that stopped renewing is taken for dead. */
export const sessionTtlSeconds = 3
const ttlMs = sessionTtlSeconds * 1000

/** Milliseconds between two renewals. */
export const renewEveryMs = 1000

// a host that renews each second has a session of two seconds at the least: what lasts less ends nobody's
const outageMsMin = ttlMs - renewEveryMs

/** What is known of the renewals so far. */
export interface Touch {
  /** The revision of the session's record. */
  readonly revision: number
  /** When the newest renewal was sent that was answered. */
  readonly lastSentMs: number
  /** How often touch was gained: it rises after each time that the session was not certain. */
  readonly stretch: number
  /** When the first renewal was answered. */
  readonly joinedAtMs: number
  /** When renewals were answered again after a time in which sessions of others may have ended, though they live. */
  readonly unsteadyAtMs: number
}

/** Before the first renewal. */
export const none: Touch = {
  revision: 0,
  lastSentMs: -Infinity,
  stretch: 0,
  joinedAtMs: Infinity,
  unsteadyAtMs: -Infinity
}

/** A renewal that was answered. */
interface Renewal {
  readonly revision: number
  readonly sentMs: number
  readonly answeredMs: number
}

/** What is known after one more renewal; they may be answered in any order. */
export const renewed = (touch: Touch, { answeredMs, revision, sentMs }: Renewal): Touch => {
  const isFirst = touch.stretch === 0
  const gapMs = answeredMs - touch.lastSentMs
  return {
    revision: Math.max(revision, touch.revision),
    lastSentMs: Math.max(sentMs, touch.lastSentMs),
    stretch: gapMs < ttlMs ? touch.stretch : touch.stretch + 1,
    joinedAtMs: isFirst ? answeredMs : touch.joinedAtMs,
    unsteadyAtMs: isFirst || gapMs < outageMsMin ? touch.unsteadyAtMs : answeredMs
  }
}

/** Whether the session certainly still stands. */
export const isInTouch = (touch: Touch, nowMs: number): boolean => nowMs - touch.lastSentMs < ttlMs

/**
 * Whether nothing was amiss for one time to live, or since the host began where that is later. Renewals that are not
 * answered now may be the beginning of an outage: sessions of others may end before this one does.
 */
export const isSteady = (touch: Touch, nowMs: number): boolean =>
  nowMs - touch.lastSentMs < outageMsMin && nowMs - touch.unsteadyAtMs >= ttlMs

/** Whether a host whose session is absent may be taken for dead: each that lives has had the time to come back. */
export const mayBury = (touch: Touch, nowMs: number): boolean =>
  isSteady(touch, nowMs) && nowMs - touch.joinedAtMs >= ttlMs
