/** Room is added by a third: a packed column is three quarters full at the least, and is copied three times over its life. */
const GROWTH = 4 / 3;
const CAPACITY_MIN = 8;

export function grownCapacity(needed: number): number {
  return Math.max(CAPACITY_MIN, Math.ceil(needed * GROWTH));
}

/** The column itself if it has room for `needed` elements, else a copy with room to spare. */
export function roomFor<Column extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(
  column: Column,
  needed: number,
): Column {
  if (needed <= column.length) return column;
  const grown = new (column.constructor as new (length: number) => Column)(grownCapacity(needed));
  grown.set(column);
  return grown;
}
