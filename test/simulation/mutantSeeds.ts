/**
 * Which seed has found each mutant?
 *
 * It is tried first, so that looking for all mutants takes seconds. What a seed means changes with the code: where it
 * finds the mutant no longer, others are tried, and the one that does belongs here.
 */

/** Seeds by the names of mutants. */
export const mutantSeeds: Readonly<Record<string, number>> = {}
