/** `drover/cpu`: reads CPU profiles of every usual format, says where time goes, compares, and finds what to change. */
export { CATEGORIES, type Category, type CpuFunction, type CpuProfile } from './model/profile.ts';
export { BadFile } from '../input/index.ts';
