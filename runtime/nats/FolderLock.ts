/**
 * Who may open the store of a data folder?
 *
 * The holder of an exclusive SQLite lock on a file there: it's a lock of the kernel's, so it ends with the process,
 * however that dies, and no stale lock is ever left to judge. Nothing is stored in the file. The one rule: this
 * process must not open that file in another way, because closing any handle of a file drops all POSIX locks on it.
 */
import { Data, Effect, type Scope } from "effect"
import { DatabaseSync } from "node:sqlite"

// SQLite's result code for "another holds it"
const busyCode = 5

/** Another process, or another part of this one, holds the folder. Not a failure: use the server that it runs. */
export class FolderBusy extends Data.TaggedError("FolderBusy") {}

/** The lock file can't be opened or locked at all, as on a read-only disk. Mend the folder, or choose another. */
export class FolderUnlockable extends Data.TaggedError("FolderUnlockable")<{ readonly reason: string }> {}

const toError = (cause: unknown): FolderBusy | FolderUnlockable =>
  cause instanceof Error && "errcode" in cause && cause.errcode === busyCode
    ? new FolderBusy()
    : new FolderUnlockable({ reason: String(cause) })

const lock = (database: DatabaseSync): Effect.Effect<DatabaseSync, FolderBusy | FolderUnlockable> =>
  Effect.try({
    // no journal on disk, because nothing is written that could need one
    try: () => database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"),
    catch: toError
  }).pipe(
    Effect.as(database),
    Effect.tapError(() => Effect.sync(() => database.close()))
  )

/** Takes the lock for as long as the scope lives; never waits. */
export const acquire = (file: string): Effect.Effect<void, FolderBusy | FolderUnlockable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({ try: () => new DatabaseSync(file, { timeout: 0 }), catch: toError }).pipe(Effect.flatMap(lock)),
    (database) => Effect.sync(() => database.close())
  ).pipe(Effect.asVoid)
