export const themeEvents = new EventTarget();

let current = 'light';

export const currentTheme = (): string => current;

export function setTheme(theme: string): void {
  current = theme;
  themeEvents.dispatchEvent(new Event('theme-changed'));
}
