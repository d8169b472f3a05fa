/** Style of the page of a flame graph, on top of that of all reports. */
export const FLAME_STYLE = `
body { padding: 12px 16px; }
header { display: flex; justify-content: space-between; align-items: flex-start; gap: 12px; }
h1 { font-size: 17px; margin: 0; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
.flame-theme { white-space: nowrap; }
.flame-bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin: 10px 0 6px; }
.flame-bar input { min-width: 15em; flex: 0 1 22em; }
.flame-views { display: flex; gap: 4px; align-items: center; }
.flame-bar button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 -2px 0 var(--accent); font-weight: 600; }
.flame-found { color: var(--soft); }
.flame-stage { position: relative; height: max(260px, calc(100vh - 240px)); border: 1px solid var(--line); border-radius: 4px; }
.flame-canvas, .flame-overlay { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.flame-canvas { cursor: grab; touch-action: none; border-radius: 4px; }
.flame-canvas:active { cursor: grabbing; }
.flame-overlay { pointer-events: none; }
.flame-status { margin: 6px 0; min-height: 3em; overflow-wrap: anywhere; }
.flame-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }
.flame-legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 6px 0; padding: 0; color: var(--soft); }
.flame-swatch { display: inline-block; width: 12px; height: 12px; margin-right: 5px; border: 1px solid var(--line); vertical-align: -1px; }
.flame-hatched { background-image: repeating-linear-gradient(-45deg, #0000 0 2px, #0006 2px 3px); }
.flame-note { color: var(--soft); margin: 4px 0; overflow-wrap: anywhere; }
.flame-keys { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 6px 0; }
.flame-keys dt { font-weight: 600; }
.flame-keys dd { margin: 0; }
.flame-tip { position: fixed; z-index: 2; max-width: min(560px, 90vw); display: grid; gap: 1px; padding: 6px 9px; pointer-events: none; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; box-shadow: 0 2px 10px #0004; overflow-wrap: anywhere; }
.flame-tip[hidden] { display: none; }
.flame-hot { overflow-x: auto; margin-top: 10px; }
.flame-table { width: 100%; }
.flame-table caption { text-align: left; color: var(--soft); padding: 4px 8px; }
.flame-table td code { overflow-wrap: anywhere; }
.flame-pick { background: none; border: 0; padding: 0; text-align: left; color: var(--accent); cursor: pointer; font-weight: 400; overflow-wrap: anywhere; }
.flame-sort { background: none; border: 0; padding: 0; cursor: pointer; font-weight: inherit; }
th[aria-sort="descending"] .flame-sort::after { content: " ▾"; }
`;
