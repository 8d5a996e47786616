/**
 * How does text leave the command?
 *
 * Data goes to the standard output and everything about it to the error output. A write is done when the text has been
 * taken, so that the end of the process can't cut off what a slow pipe has yet to read. Data that nobody took is a
 * failure of the command; of a note that nobody took there is nowhere left to tell.
 */
import { Data, Effect, Predicate } from "effect"
import { fstatSync, writeFileSync } from "node:fs"

/** The answer was there, and could not be written. */
export class OutputFailed extends Data.TaggedError("OutputFailed")<{ readonly reason: string }> {
  override get message() {
    return `the answer can't be written to the standard output, or not all of it: ${this.reason}`
  }
}

// unheard, the event would end the process; each write is told of its own failure
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

const isFile = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}

/** Hands the text over, and says what went wrong. */
const write = (
  stream: typeof process.stdout | typeof process.stderr,
  text: string,
  done: (error?: unknown) => void
): void => {
  // a full disk takes a part of a text without an error, and the stream does not ask for how much: this does
  if (!isFile(stream.fd)) return void stream.write(text, done)
  try {
    writeFileSync(stream.fd, text)
    done()
  } catch (error) {
    done(error)
  }
}

const codeOf = (error: unknown): unknown => (Predicate.hasProperty(error, "code") ? error.code : undefined)

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// Node's standard output forgets that a write has failed for this reason
let hasReader = true

/** Writes data and a line's end. A reader that went away (`| head`) wants no more, which is its right. */
export const printData = (text: string): Effect.Effect<void, OutputFailed> =>
  Effect.callback((resume) =>
    write(process.stdout, `${text}\n`, (error) => {
      const isWritten = error === undefined || error === null
      if (codeOf(error) === "EPIPE") hasReader = false
      resume(isWritten || !hasReader ? Effect.void : Effect.fail(new OutputFailed({ reason: reasonOf(error) })))
    })
  )

/** Writes what is about the data, and a line's end. */
export const printNote = (text: string): Effect.Effect<void> =>
  Effect.callback((resume) => write(process.stderr, `${text}\n`, () => resume(Effect.void)))

/** Whether there is still somebody who takes what is printed. */
export const isTaken = (): boolean => hasReader && !process.stdout.destroyed
