/**
 * How does text leave the command?
 *
 * Data goes to the standard output and everything about it to the error output. A write is done when the text has been
 * taken, so that the end of the process can't cut off what a slow pipe has yet to read.
 */
import { Effect } from "effect"
import type { Writable } from "node:stream"

// a reader that went away (`| head`) wants no more, which is its right; unheard, the event would end the process
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

const write = (stream: Writable, text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    stream.write(text, () => resume(Effect.void))
  })

/** Writes data and a line's end. */
export const printData = (text: string): Effect.Effect<void> => write(process.stdout, `${text}\n`)

/** Writes what is about the data, and a line's end. */
export const printNote = (text: string): Effect.Effect<void> => write(process.stderr, `${text}\n`)
