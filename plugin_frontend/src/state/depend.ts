/** Makes an effect or a component run again when these change, where it needs nothing else of them. */
export function dependOn(...values: readonly unknown[]): number {
  return values.length;
}
