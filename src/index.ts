/** The package's door: `defineConfig` for configuration files, and the typed client of the daemon. */
export { type AppSettings, defineConfig, type DroverConfig } from './config/index.ts';
