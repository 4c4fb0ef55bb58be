import { createEngine } from '../engine/create-engine.ts';
import type { Engine } from '../engine/engine.ts';
import { composeEngineHost } from './compose-engine-host.ts';

/** The engine on this computer. A module of its own, because loading all of it takes longer than most commands need. */
export function composeEngine(): Engine {
  return createEngine(composeEngineHost());
}
