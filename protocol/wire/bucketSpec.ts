/** What is a bucket of this protocol, by its name? */
import * as Announcement from "./Announcement.ts"
import type { BucketSpec, StreamKind } from "./StreamSpec.ts"

/** The bucket `seamless-<name>`; what changes in it is announced where it says how. */
export const bucketSpec = (
  name: string,
  kind: StreamKind,
  announced: { readonly headersOnly: boolean } | undefined
): BucketSpec => ({
  bucket: `seamless-${name}`,
  name: `KV_seamless-${name}`,
  subjects: `$KV.seamless-${name}.>`,
  kind,
  ...(announced === undefined ? {} : { announce: { to: Announcement.changed(name), ...announced } })
})
