import type { DataSource } from 'typeorm';
import type { Health } from '@berth/client';
import type { Runtime } from '@berth/runtime';

/** Names under which Nest finds what has no class of ours. */
export const LOG = Symbol('log');
export const RUNTIME = Symbol('runtime');
export const STORE = Symbol('store');
export const DATABASE = Symbol('database');
export const READINESS = Symbol('readiness');
export const OIDC = Symbol('oidc');

export type Log = Runtime['log'];
export type Database = DataSource;
/** Whether each service is ready, by name. */
export type Readiness = () => Promise<Health['services']>;

export const DOCUMENT = Symbol('document');
/** The API as a document: for programs, and as a page. */
export interface ApiDocument {
  json: Record<string, unknown>;
  page: string;
  style: string;
}
