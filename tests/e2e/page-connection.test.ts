import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { connectionFlows } from '../support/page/flows/connection.ts';

connectionFlows(browserFace());
connectionFlows(bridgeFace());
