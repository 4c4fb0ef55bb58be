/**
 * CRC-32 of two stretches of bytes one behind the other, from theirs and the length of the second (zlib's crc32_combine): Node has only the
 * CRC itself. Numbers are polynomials over GF(2), the highest bit being x⁰.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  return (product(powerOfX(secondLength), first) ^ second) >>> 0;
}

const polynomial = 0xedb88320;
const one = 0x80000000;
const xToThe8th = 0x00800000;

/** x^(8·`bytes`), by squaring. */
function powerOfX(bytes: number): number {
  let result = one;
  let power = xToThe8th;
  // No shifts: a part may be longer than 32 bits can say.
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = product(power, result);
    power = product(power, power);
  }
  return result;
}

function product(a: number, b: number): number {
  let result = 0;
  let shifted = b;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) result ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ polynomial;
  }
  return result >>> 0;
}
