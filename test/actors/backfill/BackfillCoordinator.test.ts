/** Does coordination hold its promises in the memory of one process? */
import { Context, Effect, Layer } from "effect"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { coordinatorSuite } from "../../suites/coordinatorSuite.ts"

coordinatorSuite({
  name: "memory",
  meshes: Effect.map(Layer.build(MemoryMesh.layer), (context) => {
    const mesh = Context.get(context, Mesh)
    return [mesh, mesh] as const
  })
})
