/**
 * Does nobody send far more than there is to say?
 *
 * What fails is tried again after a pause, and what moves is sent on once: whatever goes wrong, a process says some
 * hundred things a second at the most in a world as small as this one.
 */

/**
 * Several times what the busiest second of a run without a storm has: a host that was out of touch answers all at once
 * who has asked it meanwhile.
 */
const sentPerSecondMax = 800

/** Processes that have said too much in one second. */
export const checkStorms = (
  busiest: ReadonlyArray<{ readonly name: string; readonly sentPerSecond: number }>
): ReadonlyArray<string> =>
  busiest
    .filter(({ sentPerSecond }) => sentPerSecond > sentPerSecondMax)
    .map(({ name, sentPerSecond }) => `${name} has sent ${sentPerSecond} things within one second`)
