/** An embedding with the test dimensions and a unique direction per seed. */
export function testVector(seed: number, dimensions: number): number[] {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Array.from({ length: dimensions }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.fround(((state >>> 0) / 2 ** 32) * 2 - 1);
  });
}
