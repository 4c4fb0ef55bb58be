import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { s3Flows } from '../support/page/flows/s3.ts';

s3Flows(browserFace());
s3Flows(bridgeFace());
