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
 * OpenTelemetry traces. The API costs next to nothing while no SDK is started: without OTEL_EXPORTER_OTLP_ENDPOINT every span is empty.
 * Attributes are names, statuses and counts; no text, vector, key or parameter of a statement is ever one.
 */
const tracer = () => trace.getTracer("vector-store");

export { SpanKind };

/** Runs the work as a span below the one that is active; what it throws is recorded by its name alone. */
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

/** A span that is ended by somebody else: of a request, whose name is known only when its route is. */
export function openSpan(name: string, attributes: Attributes, headers: NodeJS.Dict<string | string[]>) {
  const parent = propagation.extract(context.active(), headers);
  const span = tracer().startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  return {
    /** Runs the work with the span as the active one, and whatever it begins. */
    run: (work: () => void): void => {
      context.with(trace.setSpan(parent, span), work);
    },
    end: (finalName: string, outcome: Attributes, failed: boolean): void => {
      span.updateName(finalName);
      span.setAttributes(outcome);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
    /** For the log; undefined without tracing. */
    traceId: span.isRecording() ? span.spanContext().traceId : undefined,
  };
}

/** Adds to the active span what is known only now. */
export function describeSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** The active trace in the headers of a request to another server (W3C `traceparent`). */
export function traceHeaders(active: Context = context.active()): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(active, headers);
  return headers;
}

/** Starts sending spans to the collector that the environment names. @returns a function that sends what is left */
export async function startTracing(log: Log, serviceVersion: string): Promise<() => Promise<void>> {
  // Loaded only when used: 25 ms and 6 MB.
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
    // What the environment says (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) wins.
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  diag.setLogger(diagnosticsTo(log), DiagLogLevel.WARN);
  log.info("traces are sent to the OpenTelemetry collector");
  return () => provider.shutdown();
}

const quietMs = 60_000;

/** A collector that is away is told of once a minute, not with every batch; and not in its own words, which may quote its headers. */
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
