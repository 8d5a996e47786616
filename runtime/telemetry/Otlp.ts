/**
 * Where do spans and logs go?
 *
 * Nowhere, unless an address is configured. With one, a single OpenTelemetry SDK a process sends them there by OTLP
 * over HTTP, and what is left is sent when the host stops.
 */
import * as OtelTracer from "@effect/opentelemetry/OtelTracer"
import * as Resource from "@effect/opentelemetry/Resource"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { resourceFromAttributes } from "@opentelemetry/resources"
import { NodeSDK } from "@opentelemetry/sdk-node"
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer, Tracer } from "effect"

/** Who sends, and where to. */
export interface TelemetryOptions {
  readonly serviceName: string
  readonly hostId: string
  /** Such as `http://127.0.0.1:4318`. */
  readonly otlpUrl: string
}

const flushTimeout = "5 seconds"

const startSdk = ({ hostId, otlpUrl, serviceName }: TelemetryOptions): NodeSDK => {
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ "service.name": serviceName, "service.instance.id": hostId }),
    autoDetectResources: false,
    instrumentations: [],
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${otlpUrl}/v1/traces` }))],
    metricReaders: [],
    logRecordProcessors: []
  })
  sdk.start()
  return sdk
}

/** Sends the spans of everything below it. */
export const layer = (options: TelemetryOptions): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => startSdk(options)),
        (sdk) => Effect.promise(() => sdk.shutdown()).pipe(Effect.timeoutOption(flushTimeout), Effect.ignore)
      ),
      // spans only: entering OpenTelemetry's own context at every step would cost twice as much and serve nobody here
      () =>
        Layer.effect(
          Tracer.Tracer,
          Effect.map(OtelTracer.make, (tracer) => Tracer.make({ span: (span) => tracer.span(span) }))
        ).pipe(Layer.provide(OtelTracer.layerGlobalTracer))
    )
  ).pipe(Layer.provide(Resource.layer({ serviceName: options.serviceName })))
