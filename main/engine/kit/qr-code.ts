import { encode } from 'uqr';
import { markup, type Markup } from './markup.ts';

/** QR codes hold this much at error correction M (ISO/IEC 18004, version 40, bytes): paper gets creases. */
const mostBytes = 2331;
/** A quiet zone of four modules is asked for by the standard. */
const border = 4;

/** The text as a QR code, in SVG; null when it is too long for one. */
export function qrCode(text: string): Markup | null {
  if (Buffer.byteLength(text) > mostBytes) return null;
  const { size, data, version } = encode(text, { ecc: 'M', border });
  let path = '';
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < row.length; x += 1) {
      if (row[x] !== true) continue;
      const start = x;
      while (row[x] === true) x += 1;
      path += `M${start} ${y}h${x - start}v1h-${x - start}z`;
    }
  }
  // Of many modules each must still be large enough for a camera.
  const large = version > 15 ? 'large' : 'small';
  return markup`<svg class="${large}" role="img" aria-label="QR code of the text beside it" viewBox="0 0 ${String(size)} ${String(size)}">
    <rect width="100%" height="100%" fill="#fff" />
    <path d="${path}" fill="#000" />
  </svg>`;
}
