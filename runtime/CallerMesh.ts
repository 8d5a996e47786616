/** What does who asks need of NATS? */
import type { MeshShape } from "./Mesh.ts"

/** The part of the port that a program outside the cluster uses: it asks, listens and reads, and writes nothing. */
export type CallerMesh = Pick<
  MeshShape,
  | "request"
  | "requestMany"
  | "publish"
  | "subscribe"
  | "readMany"
  | "history"
  | "onReconnect"
  | "connected"
  | "payloadBytesMax"
>
