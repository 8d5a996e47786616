/** Is the port without any NATS like the one with it? */
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { meshRecordsSuite } from "../suites/meshRecordsSuite.ts"
import { idleClock } from "./simulated/idleClock.ts"

meshRecordsSuite({ name: "memory", implementation: MemoryMesh.layer, clock: idleClock() })
