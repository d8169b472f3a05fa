import { setMaxListeners } from 'node:events';
import { currentTheme, setTheme, themeEvents } from './theme.ts';

setMaxListeners(0, themeEvents);

class DocumentView {
  readonly title: string;
  readonly paragraphs: string[];
  theme = currentTheme();

  constructor(title: string) {
    this.title = title;
    this.paragraphs = Array.from({ length: 8 }, (_, index) => `${title}, paragraph ${index}`);
    themeEvents.addEventListener('theme-changed', this.onThemeChanged.bind(this));
  }

  onThemeChanged(): void {
    this.theme = currentTheme();
  }

  dispose(): void {
    themeEvents.removeEventListener('theme-changed', this.onThemeChanged.bind(this));
  }
}

export async function editDocument(number: number): Promise<number> {
  const view = new DocumentView(`document ${number}`);
  view.paragraphs.push('The end.');
  if (number % 100 === 0) setTheme(number % 200 === 0 ? 'dark' : 'light');
  view.dispose();
  return view.paragraphs.length;
}
