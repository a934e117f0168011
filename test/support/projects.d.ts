export function modulesOf(file: string): string[];
export function testProjects(): Record<"pure" | "service" | "proxy" | "alone" | "browser", string[]>;
