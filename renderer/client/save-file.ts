import { passingLink } from './passing-link.ts';

/** Hands a file to the browser's downloads. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const link = document.createElement('a');
  link.href = passingLink(new Blob([content], { type }));
  link.download = name;
  link.click();
}
