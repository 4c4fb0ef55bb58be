/** So long a browser may take to begin a download. */
const graceMs = 60_000;

/** An address for a download that is begun at once. Firefox and Safari read it only after the click has been dealt with, and no browser tells when. */
export function passingLink(content: Blob): string {
  const link = URL.createObjectURL(content);
  setTimeout(() => URL.revokeObjectURL(link), graceMs);
  return link;
}
