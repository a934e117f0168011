/** Numbers from 0 up to 1, seeded. */
export type Random = () => number;

export const chance = (random: Random, share: number): boolean => random() < share;
export const upTo = (random: Random, most: number): number => 1 + Math.floor(random() * most);
export const oneOf = <T>(random: Random, list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
