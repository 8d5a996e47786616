/** Which stream of bars, at which bar length? */
import { Schema } from "effect"

/** A series: a node id and an interval in canonical form. */
export const Series = Schema.Struct({ nodeId: Schema.String, interval: Schema.String })
export type Series = typeof Series.Type

/** The series as people write it. */
export const seriesText = (series: Series): string => `${series.nodeId} ${series.interval}`
