/** The door of `alerts/`: who is told what goes wrong, how, and what becomes of what nobody took. */
export { openAlerts } from './alerts.ts';
export type { Alerts, AlertsOptions } from './alerts.ts';
export type { AlertsEdges, DeliveryStore, Waits } from './edges.ts';
export { nameReceivers } from './receiver-id.ts';
export type { NamedReceiver } from './receiver-id.ts';
export { DEFAULT_RETRY } from './retry.ts';
export type { RetryPolicy } from './retry.ts';
export { parseMatcher } from './silences.ts';
export type { NewSilence } from './silences.ts';
