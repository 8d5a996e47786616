/** Where is what can be changed while a cluster runs? */
import { bucketSpec } from "./bucketSpec.ts"

/** What operators turn on and off. Public: every host, and whoever wants to, follows it. */
export const settings = bucketSpec("settings", "state", { headersOnly: false })
