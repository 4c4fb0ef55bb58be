import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceHome } from '../service-process.ts';
import type { Visitor } from './visitor.ts';
import type { Language } from './words.ts';

/** One of the ways in which people come to the page: a browser at the headless service, the app’s window. The flows are walked on each. */
export interface Face {
  readonly name: string;
  /** Why it cannot be shown here; empty when it can. */
  readonly missing: string;
  /** Holdfast at work on a computer; `env`: what that computer has besides. */
  start(home: ServiceHome, env?: Readonly<Record<string, string>>): Promise<Running>;
  /** Once for all tests of a `describe`. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

export interface Running {
  /** `view`: behind `#/`. */
  visit(view: string, language?: Language): Promise<Visitor>;
  stop(): Promise<void>;
}

/** “the way back, in a browser”, with the reason where it is left out. */
export function titleOn(face: Face, what: string): string {
  return `${what}, ${face.name}${face.missing === '' ? '' : ` (${face.missing})`}`;
}

/** Holdfast as it begins, on a computer with one small folder and nothing set up, for one test alone. */
export async function withNewService(face: Face, act: (home: ServiceHome, running: Running) => Promise<void>): Promise<void> {
  const home = new ServiceHome();
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  await home.json(['keychain', 'use', 'machine-key', '--yes']);
  const running = await face.start(home);
  try {
    await act(home, running);
  } finally {
    await running.stop();
  }
}
