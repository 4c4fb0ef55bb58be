import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { jobFlows } from '../support/page/flows/jobs.ts';

jobFlows(browserFace());
jobFlows(bridgeFace());
