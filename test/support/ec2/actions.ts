import { createTags, terminateInstances } from './change.js';
import { describeImages, describeInstances, describeInstanceStatus, describeSpotInstanceRequests, getConsoleOutput } from './describe.js';
import type { Parameters } from './parameters.js';
import { runInstances, type Launching } from './run-instances.js';
import type { Xml } from './xml.js';

/** Carries a call out. @throws Ec2Refusal when the service would not */
export type Action = (parameters: Parameters, launching: Launching) => Record<string, Xml>;

/** All that the stand-in can do; every other action is an `InvalidAction`. */
export const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['RunInstances', runInstances],
  ['TerminateInstances', (parameters, { cloud }) => terminateInstances(parameters, cloud)],
  ['DescribeInstances', (parameters, { cloud }) => describeInstances(parameters, cloud)],
  ['DescribeInstanceStatus', (parameters, { cloud }) => describeInstanceStatus(parameters, cloud)],
  ['DescribeImages', (parameters, { cloud }) => describeImages(parameters, cloud)],
  ['DescribeSpotInstanceRequests', (parameters, { cloud }) => describeSpotInstanceRequests(parameters, cloud)],
  ['GetConsoleOutput', (parameters, { cloud }) => getConsoleOutput(parameters, cloud)],
  ['CreateTags', (parameters, { cloud }) => createTags(parameters, cloud)],
]);
