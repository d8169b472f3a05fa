import type { DroverConfig } from './schema.ts';

/** Types for the configuration file; returns its argument. */
export const defineConfig = (config: DroverConfig): DroverConfig => config;
