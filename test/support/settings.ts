/** Small vectors keep tests fast; the number differs from every default, so that a forgotten setting shows. */
export const testDimensions = 8;

export const testKey = "sk-test-server-key";
