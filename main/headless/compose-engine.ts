import { Fault } from '../contract/faults.ts';
import type { Engine } from '../engine/engine.ts';

export function composeEngine(): Promise<Engine> {
  throw new Fault('unsupported', 'The engine is not composed yet');
}
