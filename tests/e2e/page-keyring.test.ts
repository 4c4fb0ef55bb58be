import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { keyringFlows } from '../support/page/flows/keyring.ts';

keyringFlows(browserFace());
keyringFlows(bridgeFace());
