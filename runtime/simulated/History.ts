/**
 * What stood for a subject a while ago?
 *
 * Each version of a record knows the one before it for as long as somebody may still ask: a replica that is behind
 * answers with it, and after a power failure it stands again.
 */
import type { Option } from "effect"
import type { Stored } from "../Mesh.ts"

/** What a version of a record says; `gone` where nothing stands any more. */
export type Form = "value" | "removed" | "marker" | "gone"

/** What stands for a subject from a moment on. */
export interface Version {
  readonly subject: string
  readonly form: Form
  /** Its sequence in the stream; 0 where it is gone. */
  readonly revision: number
  readonly data: Uint8Array
  readonly sinceMs: number
  readonly endsAtMs: number
  /** The stream's last sequence until then. */
  readonly sequenceBefore: number
  /** As a reader has it. */
  readonly stored: Option.Option<Stored>
  before: Version | undefined
}

/** The latest changes of a stream. */
export interface History {
  readonly note: (version: Version) => void
  /** Takes back all that came after a moment, the last first; `undo` is told each. */
  readonly takeBack: (keepUntilMs: number, undo: (version: Version) => void) => void
}

/** Nothing has changed yet. */
export const make = (options: {
  readonly keepMs: number
  /** Told what nobody can ask for any more. */
  readonly forget: (version: Version) => void
}): History => {
  const { forget, keepMs } = options
  let changes: Array<Version> = []
  let head = 0
  const prune = (nowMs: number): void => {
    for (let first = changes[head]; first !== undefined && first.sinceMs <= nowMs - keepMs; first = changes[head]) {
      head += 1
      first.before = undefined
      forget(first)
    }
    if (head < 1024 || head * 2 < changes.length) return
    changes = changes.slice(head)
    head = 0
  }
  return {
    note: (version) => {
      changes.push(version)
      prune(version.sinceMs)
    },
    takeBack: (keepUntilMs, undo) => {
      while (changes.length > head && changes.at(-1)!.sinceMs > keepUntilMs) undo(changes.pop()!)
    }
  }
}

/** What stood at a moment. */
export const at = (version: Version | undefined, whenMs: number): Version | undefined => {
  let found = version
  while (found !== undefined && found.sinceMs > whenMs) found = found.before
  return found?.form === "gone" ? undefined : found
}
