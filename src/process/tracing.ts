import {
  type Attributes,
  type Context,
  DiagLogLevel,
  type DiagLogger,
  SpanKind,
  SpanStatusCode,
  context,
  diag,
  propagation,
  trace,
} from "@opentelemetry/api";
import type { Log } from "./log.js";

/**
 * OpenTelemetry traces. Without OTEL_EXPORTER_OTLP_ENDPOINT no SDK is started, every span is empty and costs next to
 * nothing. Attributes are names, statuses and counts, never a text, vector, key or statement parameter.
 */
const tracer = () => trace.getTracer("vector-store");

export { SpanKind };

/** Runs the work in a child span of the active one. Of an error, only the name is recorded. */
export function inSpan<T>(
  name: string,
  options: { kind: SpanKind; attributes?: Attributes; root?: boolean },
  work: () => Promise<T>,
): Promise<T> {
  return tracer().startActiveSpan(name, options, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute("error.type", error instanceof Error ? error.name : typeof error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/**
 * Starts a request's span, in the trace that its headers name. The caller ends it and then gives it its name, because
 * the route is known only later.
 */
export function openSpan(name: string, attributes: Attributes, headers: NodeJS.Dict<string | string[]>) {
  const parent = propagation.extract(context.active(), headers);
  const span = tracer().startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  return {
    /** Runs the work, and everything it starts, with this span active. */
    run: (work: () => void): void => {
      context.with(trace.setSpan(parent, span), work);
    },
    end: (finalName: string, outcome: Attributes, failed: boolean): void => {
      span.updateName(finalName);
      span.setAttributes(outcome);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
    /** The trace id for the log; undefined without tracing. */
    traceId: span.isRecording() ? span.spanContext().traceId : undefined,
  };
}

/** Adds attributes to the active span. */
export function describeSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** Headers that pass the active trace to another server (W3C `traceparent`). */
export function traceHeaders(active: Context = context.active()): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(active, headers);
  return headers;
}

/**
 * Starts sending spans to the collector that the environment names.
 * @returns a function that sends the remaining spans and stops
 */
export async function startTracing(log: Log, serviceVersion: string): Promise<() => Promise<void>> {
  // Imported only when used: costs 25 ms and 6 MB.
  const [
    { NodeTracerProvider, BatchSpanProcessor },
    { OTLPTraceExporter },
    { detectResources, envDetector, resourceFromAttributes },
  ] = await Promise.all([
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/resources"),
  ]);
  const own = resourceFromAttributes({ "service.name": "vector-store", "service.version": serviceVersion });
  const provider = new NodeTracerProvider({
    // The environment (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) wins.
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  diag.setLogger(diagnosticsTo(log), DiagLogLevel.WARN);
  log.info("traces are sent to the OpenTelemetry collector");
  return () => provider.shutdown();
}

const quietMs = 60_000;

/**
 * Logs an unreachable collector once a minute, not with every batch, and without the SDK's message, which may quote
 * headers.
 */
function diagnosticsTo(log: Log): DiagLogger {
  let toldAt = -Infinity;
  const tell = () => {
    if (performance.now() - toldAt < quietMs) return;
    toldAt = performance.now();
    log.warn(
      "traces could not be sent to the OpenTelemetry collector; check OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP, port 4318)",
    );
  };
  const nothing = () => undefined;
  return { error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing };
}
