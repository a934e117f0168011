/** Small vectors keep tests quick; the number is unlike any default, so that a forgotten setting shows. */
export const testDimensions = 8;

export const testKey = "sk-test-server-key";
