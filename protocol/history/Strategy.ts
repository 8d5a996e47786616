/** What does a read do about a gap? */
import { Schema } from "effect"

/** The strategies as they are written on the wire. */
export const Strategy = Schema.Literals(["fail_fast", "partial_fill", "auto_backfill", "seamless"])
export type Strategy = typeof Strategy.Type

/** A strategy as a caller may write it: upper case is accepted. */
export const parse = (text: string): Strategy | undefined =>
  Strategy.literals.find((strategy) => strategy === text.toLowerCase())

/** Whether the strategy asks for what is missing, and whether it waits for it. */
export const gapRule: Readonly<Record<Strategy, "fail" | "queue" | "wait" | "waitIfSmall">> = {
  fail_fast: "fail",
  partial_fill: "queue",
  auto_backfill: "wait",
  seamless: "waitIfSmall"
}
