/**
 * What can't differ between the hosts of a cluster?
 *
 * Written once, by the first host; a host that was built with other values refuses to start beside the data.
 */
import { Schema } from "effect"

/** The facts that stored data and placement depend on. */
export const Manifest = Schema.Struct({
  /** Of chunks, pages, roots and job records. */
  storageFormat: Schema.Int,
  /** How many slots actor addresses are spread over. */
  slotCount: Schema.Int,
  /** From an address to its slot. */
  slotHash: Schema.String,
  /** From rows and bytes to their names. */
  contentHash: Schema.String,
  /** How many partitions a class of the job queue has. */
  queuePartitions: Schema.Int
})
export type Manifest = typeof Manifest.Type

/** What this build stands for. */
export const manifest: Manifest = {
  storageFormat: 1,
  slotCount: 256,
  slotHash: "fnv1a32",
  contentHash: "sha256",
  queuePartitions: 1
}

/** The manifest's key in the cluster bucket. */
export const manifestKey = "manifest"
