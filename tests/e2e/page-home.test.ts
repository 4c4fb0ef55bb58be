import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { homeFlows } from '../support/page/flows/home.ts';

homeFlows(browserFace());
homeFlows(bridgeFace());
