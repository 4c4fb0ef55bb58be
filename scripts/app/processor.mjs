/**
 * For which processor a native module was built, from its first bytes: `x64`, `arm64`, `both` for a universal one of macOS, or null for what is neither or no native module.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const elf = 0x7f454c46;
const machO = 0xcffaedfe;
const universal = 0xcafebabe;
const headLength = 1024;
/** The number of each processor, as each format has it. */
const elfMachines = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);
const machOTypes = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);
const peMachines = new Map([
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);

/**
 * @param {string} path
 * @returns {string | null}
 */
export function processorOf(path) {
  const head = Buffer.alloc(headLength);
  const handle = openSync(path, 'r');
  try {
    readSync(handle, head, 0, headLength, 0);
  } finally {
    closeSync(handle);
  }
  const magic = head.readUInt32BE(0);
  if (magic === elf) return elfMachines.get(head.readUInt16LE(18)) ?? null;
  if (magic === machO) return machOTypes.get(head.readUInt32LE(4)) ?? null;
  if (magic === universal) return 'both';
  const pe = head.readUInt32LE(0x3c);
  if (head.toString('latin1', 0, 2) !== 'MZ' || pe > headLength - 6 || head.toString('latin1', pe, pe + 4) !== 'PE\0\0') return null;
  return peMachines.get(head.readUInt16LE(pe + 4)) ?? null;
}
