/**
 * Where is progress shown while a person waits?
 *
 * On the error output only, so that data stays data. A terminal has one line that is written over; anything else gets a
 * line every few seconds, or none where a program reads.
 */
import { Clock, Effect, Option } from "effect"
import type { Format } from "./flags.ts"
import { type Progress, progressLine, progressNote } from "./progressLine.ts"

/** How it is shown. */
type ProgressMode = "redrawn" | "noted" | "hidden"

/** What it is written to. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write: (text: string) => unknown
}

/** What the command line says of it. */
export interface ProgressChoice {
  readonly format: Format
  readonly progress: Option.Option<boolean>
}

/** A display, until it is cleared. */
export interface ProgressDisplay {
  readonly mode: ProgressMode
  readonly show: (progress: Progress) => Effect.Effect<void>
  /** Takes away what is shown; what is written next begins on a line of its own. */
  readonly clear: Effect.Effect<void>
}

/** How often a line is written that stays. */
const noteEveryMs = 5000

const columnsDefault = 80

// back to the first column; and: erase what is behind the cursor
const toStart = "\r"
const eraseRest = "\u001b[K"

/** How progress is shown: as the flag says, else for people only. */
export const modeOf = (
  { format, progress }: ProgressChoice,
  { isTTY = false }: Pick<ProgressStream, "isTTY">
): ProgressMode => {
  const isWanted = Option.getOrElse(progress, () => format === "table")
  if (!isWanted) return "hidden"
  return isTTY ? "redrawn" : "noted"
}

// a terminal that does not know its width says 0
const columnsOf = ({ columns = 0 }: ProgressStream): number => (columns > 0 ? columns : columnsDefault)

/** A line that is written over in one go, and only where it is another, so that nothing blinks. */
const redrawn = (stream: ProgressStream): ProgressDisplay => {
  let shown = ""
  return {
    mode: "redrawn",
    show: (progress) =>
      Effect.sync(() => {
        const line = progressLine(progress, columnsOf(stream))
        if (line === shown) return
        stream.write(`${toStart}${line}${eraseRest}`)
        shown = line
      }),
    clear: Effect.sync(() => {
      if (shown !== "") stream.write(`${toStart}${eraseRest}`)
      shown = ""
    })
  }
}

/** Lines that stay. The first comes when there was something to wait for. */
const noted = (stream: ProgressStream): ProgressDisplay => {
  let notedAtMs: number | undefined
  return {
    mode: "noted",
    show: (progress) =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => {
        notedAtMs ??= nowMs
        if (nowMs - notedAtMs < noteEveryMs) return
        stream.write(`${progressNote(progress)}\n`)
        notedAtMs = nowMs
      }),
    clear: Effect.void
  }
}

/** The display of a command. */
export const make = (choice: ProgressChoice, stream: ProgressStream = process.stderr): ProgressDisplay => {
  const mode = modeOf(choice, stream)
  if (mode === "redrawn") return redrawn(stream)
  return mode === "noted" ? noted(stream) : { mode, show: () => Effect.void, clear: Effect.void }
}
