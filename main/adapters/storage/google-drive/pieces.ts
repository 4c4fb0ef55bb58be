/** What lies in the first `length` bytes of pieces that lie one behind the other, without a copy. */
export function head(pieces: readonly Uint8Array[], length: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  let left = length;
  for (const piece of pieces) {
    if (left > 0 && piece.byteLength > 0) found.push(piece.subarray(0, left));
    left = Math.max(0, left - piece.byteLength);
  }
  return found;
}

/** What lies behind the first `skip` bytes, without a copy. */
export function tail(pieces: readonly Uint8Array[], skip: number): readonly Uint8Array[] {
  const rest: Uint8Array[] = [];
  let left = skip;
  for (const piece of pieces) {
    if (left < piece.byteLength) rest.push(piece.subarray(left));
    left = Math.max(0, left - piece.byteLength);
  }
  return rest;
}
