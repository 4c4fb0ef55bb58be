/**
 * For electron-builder, once it has laid out an app: refuses one whose native modules are for another processor. They come from node_modules, which has those
 * of this computer; such an app would start and could not back anything up.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Arch } from 'electron-builder';
import { processorOf } from './processor.mjs';

/** @param {{ readonly appOutDir: string, readonly arch: number }} context */
export function afterPack({ appOutDir, arch }) {
  const wanted = Arch[arch];
  const modules = readdirSync(appOutDir, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.node'));
  if (modules.length === 0) throw new Error(`${appOutDir} has no native modules: a backup needs them`);
  const others = modules.filter((path) => ![wanted, 'both'].includes(processorOf(join(appOutDir, path)) ?? ''));
  if (others.length > 0)
    throw new Error(
      `This package is for ${wanted}, and these are not: ${others.join(', ')}. Make it on a computer with that processor: npm run dist`,
    );
}
