import type { BlueprintEvent, FleetEvent, MachineEvent, PlanEvent } from '@berth/contracts';
import { because, count, pairs, short, time } from './text';
import type { Words } from './words';

export const machineWords: Words<MachineEvent> = {
  MachineAdded: ({ user, address, port, slots, facts }) => `Enrolled as ${user}@${address}:${port} with ${count(slots, 'slot')}; found: ${pairs(facts)}.`,
  MachineChanged: ({ changed, user, address, port, slots }) => `Changed in ${changed.join(', ')}: ${user}@${address}:${port} with ${count(slots, 'slot')} from now on.`,
  MachineRemoved: () => 'No longer part of the fleet; its name is free.',
};

export const blueprintWords: Words<BlueprintEvent> = {
  BlueprintSaved: ({ version, spec }) => `Version ${version} is saved, of kind ${spec.kind}.`,
  BlueprintEnabled: () => 'Serves requests.',
  BlueprintDisabled: ({ reason }) => `Serves no requests${because(reason)}.`,
  BlueprintRemoved: () => 'Gone; its name is free.',
  LaunchSucceeded: ({ resource }) => `Resource ${short(resource)} became active.`,
  LaunchFailed: ({ resource, fault, error, offer }) => `Resource ${short(resource)} did not become active (${fault}${offer === undefined ? '' : `, ${offer}`}): ${error}.`,
  OfferRefused: ({ offer, error, until }) => `${offer} is not to be had and not asked for again until ${time(until)}: ${error}.`,
  BreakerOpened: ({ until, reason, failures, blames }) => `No launches until ${time(until)} after ${count(failures, 'failure')}${blames === undefined ? '' : `, all of version ${short(blames)} of its image`}: ${reason}.`,
  BreakerClosed: () => 'Launches again.',
};

export const fleetWords: Words<FleetEvent> = {
  FleetFounded: ({ installation }) => `The first start: what is launched in clouds is marked with ${short(installation)}.`,
  QuotaSet: ({ hosts, hostsPerOwner, resources }) => `Limits are set: ${[hosts !== undefined && `${hosts} slots of hosts`, hostsPerOwner !== undefined && `${hostsPerOwner} for one owner`, resources !== undefined && `${resources} launched`].filter(Boolean).join(', ') || 'none'}.`,
  Reserved: ({ slots, launches }) => `Room is set aside for ${count(slots.length, 'slot')} and ${count(launches.length, 'launch', 'launches')}.`,
  Returned: ({ slots, launches }) => `Room of ${count(slots.length, 'slot')} and ${count(launches.length, 'launch', 'launches')} is given back.`,
  OrphanFound: ({ what, id, where, grace }) => `Nobody owns the ${what} ${id} at ${where}: it is destroyed at ${time(grace)} if that stays so.`,
  OrphanDestroyed: ({ what, id, where }) => `The ${what} ${id} at ${where}, which nobody owned, was destroyed.`,
};

export const planWords: Words<PlanEvent> = {
  PlanSaved: ({ version, plan }) => `Version ${version} is saved, with ${count(plan.steps.length, 'step')}.`,
};
