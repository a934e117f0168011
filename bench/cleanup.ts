/** What must be undone in any case: processes, databases, directories. Last in, first out. */
const steps: (() => Promise<void>)[] = [];

export function atEnd(step: () => Promise<void>): void {
  steps.push(step);
}

/** Safe to call twice. A failing step does not keep the others from running. */
export async function cleanUp(): Promise<void> {
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    await step().catch((error: unknown) => {
      process.exitCode = 1;
      console.error("cleaning up:", error instanceof Error ? error.message : error);
    });
  }
}
