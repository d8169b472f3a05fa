import { Keyv } from 'keyv';

export const codes = new Keyv({ namespace: 'one-time-code' });
