import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { restoreFlows } from '../support/page/flows/restore.ts';

restoreFlows(browserFace());
restoreFlows(bridgeFace());
