import type { Bridge } from '../../main/contract/bridge.ts';

export type { Bridge };

declare global {
  interface Window {
    readonly holdfast?: Bridge;
  }
}
