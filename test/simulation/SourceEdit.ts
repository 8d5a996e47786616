/**
 * How does a simulation run code that is not quite the product's?
 *
 * By an edit of one place of one source file, made while the module is loaded: nothing in the product knows of it, and
 * no switch can be left on. An edit that does not fit its file exactly once is an error, so none can rot.
 */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"

/** One place of a file, from the repository's root, and what stands there instead. */
export interface SourceEdit {
  readonly file: string
  readonly from: string
  readonly to: string
}

const root = new URL("../../", import.meta.url)

/** The source with the edit made; undefined where it does not fit exactly once. */
const edited = (source: string, { from, to }: SourceEdit): string | undefined => {
  const parts = source.split(from)
  return parts.length === 2 ? parts.join(to) : undefined
}

/** Whether the edit fits its file as it is now. */
export const fits = (edit: SourceEdit): boolean =>
  edited(readFileSync(new URL(edit.file, root), "utf8"), edit) !== undefined

/** Has the edits made in every module that is loaded from now on. */
export const apply = (edits: ReadonlyArray<SourceEdit>): void => {
  const byUrl = Map.groupBy(edits, ({ file }) => new URL(file, root).href)
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context)
      const wanted = byUrl.get(url)
      if (wanted === undefined) return loaded
      let source = readFileSync(new URL(url), "utf8")
      for (const edit of wanted) {
        const changed = edited(source, edit)
        if (changed === undefined) throw new Error(`the edit of ${edit.file} does not fit: ${edit.from}`)
        source = changed
      }
      return { ...loaded, source }
    }
  })
}
