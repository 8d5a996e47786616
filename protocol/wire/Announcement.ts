/** Where are changes of records announced? */
import { Option } from "effect"
import { root } from "./Subject.ts"

/** Where changes of the records of a bucket are announced: of all, or of those whose keys are so. */
export const changed = (bucket: string, keys = ">"): string => `${root}.changed.${bucket}.${keys}`

/** Where changes of the records under one series key are announced. */
export const changedUnder = (bucket: string, seriesKey: string): string => `${root}.changed.${bucket}.${seriesKey}.*`

/** The key of the record that an announcement is about. */
export const changedKey = (bucket: string, subject: string): Option.Option<string> => {
  const prefix = `${root}.changed.${bucket}.`
  return subject.startsWith(prefix) ? Option.some(subject.slice(prefix.length)) : Option.none()
}
