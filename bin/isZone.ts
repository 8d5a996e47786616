/** Is that the name of a time zone? */
import { Option } from "effect"

/** Whether the platform knows a zone of that name. */
export const isZone = (zone: string): boolean =>
  Option.isSome(Option.liftThrowable(() => new Intl.DateTimeFormat("en", { timeZone: zone }))())

/** What a name that is none would have to be. */
export const zoneForm = "one such as Europe/Berlin or America/New_York"
