import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { wizardFlows } from '../support/page/flows/wizard.ts';

wizardFlows(browserFace());
wizardFlows(bridgeFace());
